import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rawBlock } from '../../../core/dag/block.ts';
import { PeerSource } from '../../../core/exchange/peer-source.ts';
import { ExchangeServer } from '../../../core/exchange/server.ts';
import { TurnBuffer } from '../../../core/exchange/turn-buffer.ts';
import { Decoder, FROM_SERVER } from '../../../core/exchange/wire/decode.ts';
import { DATA_HEAD_SIZE, HEAD_SIZE, MAX_PIECE, type Message } from '../../../core/exchange/wire/message.ts';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { MemoryHoldings } from '../../../core/memory/holdings.ts';
import { SeededRandom } from '../../../core/memory/random.ts';
import { MemoryPeer } from '../../../core/memory/stream.ts';
import type { Stream } from '../../../core/ports/transport.ts';
import { nodeHasher } from '../../../node/hasher.ts';

const random = new SeededRandom(7);
const HEAD = HEAD_SIZE + DATA_HEAD_SIZE;

describe('the buffer of a turn', () => {
  it('holds one piece of the most bytes, and what is said beside it', () => {
    const buffer = new TurnBuffer();
    assert.equal(buffer.room, MAX_PIECE);
    const bytes = buffer.place(MAX_PIECE);
    bytes.set(random.bytes(MAX_PIECE));
    buffer.addPiece({ number: 3, encoding: 'identity', plain: MAX_PIECE, length: MAX_PIECE, at: 0, bytes });
    assert.equal(buffer.room, 0);
    const numbers = Array.from({ length: 1024 }, (_, i) => i);
    for (const type of ['miss', 'have'] as const) buffer.addMessage({ type, numbers });
    buffer.addMessage({ type: 'busy', retryAfter: 5, numbers });
    const messages: Message[] = [...new Decoder(FROM_SERVER).push(buffer.bytes)];
    assert.deepEqual(messages.map(({ type }) => type), ['data', 'miss', 'have', 'busy']);
    assert.deepEqual(messages[0], { type: 'data', number: 3, encoding: 'identity', plain: MAX_PIECE, length: MAX_PIECE, at: 0, bytes: new Uint8Array(bytes) });
  });

  it('takes pieces from elsewhere too, as long as there is room for one more and its head', () => {
    const buffer = new TurnBuffer();
    const bytes = random.bytes(MAX_PIECE - HEAD - 5);
    buffer.addPiece({ number: 0, encoding: 'identity', plain: bytes.length, length: bytes.length, at: 0, bytes });
    assert.equal(buffer.room, 5);
    buffer.addPiece({ number: 1, encoding: 'identity', plain: 5, length: 5, at: 0, bytes: random.bytes(5) });
    assert.equal(buffer.room, 0);
    buffer.clear();
    assert.equal(buffer.room, MAX_PIECE);
    assert.equal(buffer.bytes.length, 0);
  });
});

describe('a carrier that gives buffers back', () => {
  it('sends what was in them when they were lent, from a few of them', async () => {
    const clock = new VirtualClock();
    const holdings = new MemoryHoldings();
    const blocks = await Promise.all(Array.from({ length: 12 }, (_, i) => rawBlock(random.bytes(30_000 + i * 40_000), nodeHasher)));
    for (const { cid, bytes } of blocks) holdings.addBlock(cid, bytes);
    const server = new ExchangeServer({ holdings, clock });
    const memory = new Set<ArrayBufferLike>();
    /** Reads what it was lent only when it gives it back. */
    const lending = (stream: Stream): Stream => ({
      read: (options) => stream.read(options),
      write: (bytes, options) => stream.write(bytes, options),
      lend: async (bytes) => {
        if (bytes.length > 1000) memory.add(bytes.buffer);
        await clock.sleep(3);
        await stream.write(bytes.slice());
      },
      close: () => stream.close(),
      abort: (reason) => stream.abort(reason),
    });
    const peer = new MemoryPeer({ id: 'peer', clock, handler: (stream, from) => server.handle(lending(stream), from) });
    const source = new PeerSource({ peer, clock });
    const got = await clock.run(Promise.all(blocks.map(({ cid, bytes }) => source.get({ cid, maxBytes: bytes.length }))));
    for (const [i, { bytes }] of blocks.entries()) assert.deepEqual(got[i], bytes);
    assert.ok(memory.size <= 3, `${memory.size} buffers`);
  });
});
