/** Peers that harm, as data: what each does with the streams that are opened to it. */
import { cidOf, RAW } from '../../../core/dag/cid.ts';
import { Decoder, FROM_ASKER } from '../../../core/exchange/wire/decode.ts';
import { encodeMessage } from '../../../core/exchange/wire/encode.ts';
import type { Item, Message } from '../../../core/exchange/wire/message.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { Stream, StreamHandler } from '../../../core/ports/transport.ts';

/** What machines do that are slow or broken: nobody is banned for it. */
export const HARMLESS: ReadonlySet<string> = new Set(['the head of a block, and then nothing', 'a byte a second', 'busy for an hour', 'the end at once', 'resets']);

const HELLO: Message = { type: 'hello', version: 1, frames: true, files: false, deltas: false, news: false, zstd: true, runs: false, maxOpen: 4096, repositories: [] };
const PIECE = 65_536;

async function send(stream: Stream, message: Message): Promise<void> {
  await stream.write(encodeMessage(message));
}

/** Says hello, and then does something for each item that is asked for, one after the other. */
function answering(answer: (stream: Stream, item: Item) => Promise<void>): StreamHandler {
  return async (stream) => {
    const decoder = new Decoder(FROM_ASKER);
    await send(stream, HELLO);
    for (;;) {
      const chunk = await stream.read();
      if (chunk === undefined) return;
      for (const message of decoder.push(chunk)) {
        if (message.type === 'query') await send(stream, { type: 'have', numbers: message.items.map(({ number }) => number) });
        if (message.type === 'want') for (const item of message.items) await answer(stream, item);
      }
    }
  };
}

/** Content of the right size that is not what was asked for. */
async function sendWrong(stream: Stream, { number, maxBytes: length }: Item): Promise<void> {
  for (let at = 0; at < length; at += PIECE) {
    const bytes = new Uint8Array(Math.min(PIECE, length - at)).fill(0x5a);
    await send(stream, { type: 'data', number, encoding: 'identity', plain: length, length, at, bytes });
  }
}

export function hostilePeers(clock: Clock): Record<string, StreamHandler> {
  return {
    'right sizes and wrong content': answering(sendWrong),
    'less than was asked for': answering((stream, { number }) =>
      send(stream, { type: 'data', number, encoding: 'identity', plain: 3, length: 3, at: 0, bytes: new Uint8Array(3) })),
    'more than was asked for': answering((stream, { number }) =>
      send(stream, { type: 'data', number, encoding: 'identity', plain: 2_000_000, length: 2_000_000, at: 0, bytes: new Uint8Array(PIECE) })),
    'data without end': answering(async (stream, { number, maxBytes: length }) => {
      const bytes = new Uint8Array(Math.min(PIECE, length));
      for (;;) await send(stream, { type: 'data', number, encoding: 'identity', plain: length, length, at: 0, bytes });
    }),
    'data that nobody asked for': answering((stream, { number }) =>
      send(stream, { type: 'data', number: number + 1000, encoding: 'identity', plain: 10, length: 10, at: 0, bytes: new Uint8Array(10) })),
    'zstd that is none': answering((stream, { number, maxBytes }) =>
      send(stream, { type: 'data', number, encoding: 'zstd', plain: maxBytes, length: 9, at: 0, bytes: new Uint8Array(9) })),
    'the head of a block, and then nothing': answering((stream, { number, maxBytes: length }) =>
      send(stream, { type: 'data', number, encoding: 'identity', plain: length, length, at: 0, bytes: new Uint8Array(Math.min(length, 1000)) })),
    'a byte a second': answering(async (stream, { number, maxBytes: length }) => {
      for (let at = 0; at < length; at++) {
        await send(stream, { type: 'data', number, encoding: 'identity', plain: length, length, at, bytes: new Uint8Array(1) });
        await clock.sleep(1000);
      }
    }),
    'busy for an hour': answering((stream, { number }) => send(stream, { type: 'busy', retryAfter: 3_600_000, numbers: [number] })),
    'a message of 4 GiB': answering((stream) => stream.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 3))),
    'noise': async (stream) => {
      for (;;) await stream.write(new Uint8Array(1000).fill(0xa5));
    },
    'a want where an answer belongs': answering((stream) =>
      send(stream, { type: 'want', items: [{ number: 0, wanted: { kind: 'block', cid: cidOf(RAW, new Uint8Array(32)) }, maxBytes: 1 }] })),
    'answers before hello': (stream) => send(stream, { type: 'miss', numbers: [0] }),
    'the end at once': (stream) => stream.close(),
    'resets': async () => {
      throw new Error('reset');
    },
  };
}
