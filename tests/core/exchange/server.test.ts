import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rawBlock } from '../../../core/dag/block.ts';
import { cidOf, RAW } from '../../../core/dag/cid.ts';
import { ExchangeServer, SERVER_LIMITS, type ServerOptions } from '../../../core/exchange/server.ts';
import { Decoder, FROM_SERVER } from '../../../core/exchange/wire/decode.ts';
import { encodeMessage } from '../../../core/exchange/wire/encode.ts';
import type { Item, Message } from '../../../core/exchange/wire/message.ts';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { MemoryHoldings } from '../../../core/memory/holdings.ts';
import { SeededRandom } from '../../../core/memory/random.ts';
import { Link, memoryStreams } from '../../../core/memory/stream.ts';
import type { PeerScope, Stream } from '../../../core/ports/transport.ts';
import { nodeHasher } from '../../../node/hasher.ts';

const random = new SeededRandom(2);
const LARGE = await rawBlock(random.bytes(1024 * 1024), nodeHasher);
const SMALL = await rawBlock(random.bytes(4096), nodeHasher);
const HELLO: Message = { type: 'hello', version: 1, frames: false, files: false, deltas: false, news: false, zstd: false, runs: false, maxOpen: 0, repositories: [] };

/** A server, and raw streams to it: those who use them may break every rule. */
class Bench {
  readonly clock = new VirtualClock();
  readonly holdings = new MemoryHoldings();
  readonly server: ExchangeServer;

  constructor(options: Partial<ServerOptions> = {}) {
    this.holdings.addBlock(LARGE.cid, LARGE.bytes);
    this.holdings.addBlock(SMALL.cid, SMALL.bytes);
    this.server = new ExchangeServer({ holdings: this.holdings, clock: this.clock, ...options });
  }

  connect(id = 'peer', { scope = 'lan', back = [], window }: { scope?: PeerScope; back?: Link[]; window?: number } = {}): Stream {
    const [mine, theirs] = memoryStreams({ clock: this.clock, latency: 1, back, window });
    void this.server.handle(theirs, { id, scope, transport: 'memory' });
    return mine;
  }

  /** What is said on a stream, until it ends or the time is over. */
  async listen(stream: Stream, ms = 1000): Promise<{ messages: Message[]; ended: boolean }> {
    const decoder = new Decoder(FROM_SERVER);
    const messages: Message[] = [];
    let ended = false;
    const reading = async (): Promise<void> => {
      try {
        for (;;) {
          const chunk = await stream.read();
          if (chunk === undefined) break;
          messages.push(...decoder.push(chunk));
        }
      } catch {
        // The server has reset the stream.
      }
      ended = true;
    };
    void reading();
    await this.clock.run(this.clock.sleep(ms));
    return { messages, ended };
  }

  pass(ms: number): Promise<void> {
    return this.clock.run(this.clock.sleep(ms));
  }
}

async function say(stream: Stream, ...messages: Message[]): Promise<void> {
  for (const message of messages) await stream.write(encodeMessage(message));
}

function items(count: number, from = 0, cid = SMALL.cid): Item[] {
  return Array.from({ length: count }, (_, i) => ({ number: from + i, wanted: { kind: 'block', cid }, maxBytes: 1024 * 1024 }));
}

function contentOf(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + (message.type === 'data' ? message.bytes.length : 0), 0);
}

describe('a server', () => {
  it('ends a stream that asks before it says hello', async () => {
    const bench = new Bench();
    const stream = bench.connect();
    await say(stream, { type: 'want', items: items(1) });
    assert.equal((await bench.listen(stream)).ended, true);
  });

  it('ends a stream whose numbers do not ascend', async () => {
    const bench = new Bench();
    const stream = bench.connect();
    await say(stream, HELLO, { type: 'want', items: items(2, 5) }, { type: 'want', items: items(1, 6) });
    assert.equal((await bench.listen(stream)).ended, true);
  });

  it('ends a stream that has more open than it allows, and keeps nothing of it', async () => {
    const broken: string[] = [];
    const bench = new Bench({ onBroken: ({ id }) => broken.push(id) });
    const stream = bench.connect('flood', { window: 64 * 1024 * 1024, back: [new Link(1000)] });
    for (let i = 0; i < 6; i++) await say(stream, ...(i === 0 ? [HELLO] : []), { type: 'want', items: items(1024, i * 1024, LARGE.cid) });
    assert.equal((await bench.listen(stream, 5000)).ended, true);
    assert.equal(bench.server.open, 0);
    assert.equal(bench.server.streams, 0);
    assert.deepEqual(broken, ['flood'], 'its carrier hears of it');
  });

  it('lets nobody take all turns by asking for what is not there', async () => {
    const open: number[] = [];
    const bench = new Bench({ limits: { turns: 1, open: 4096, openInAll: 32_768 }, onServed: () => open.push(bench.server.open) });
    const floods = Array.from({ length: 4 }, () => bench.connect('flood', { window: 2 ** 30 }));
    const nowhere = cidOf(RAW, random.bytes(32));
    for (const stream of floods) {
      await say(stream, HELLO);
      for (let number = 0; number < 4000; number += 1000) await say(stream, { type: 'want', items: items(1000, number, nowhere) });
    }
    const modest = bench.connect('modest');
    await say(modest, HELLO, { type: 'want', items: items(1, 0, LARGE.cid) });
    const { messages } = await bench.listen(modest, 1);
    for (let ms = 0; ms < 1000 && contentOf(messages) < LARGE.bytes.length; ms++) await bench.pass(1);
    assert.equal(contentOf(messages), LARGE.bytes.length);
    assert.ok((open[3] ?? 0) >= 8000, `${open.join()} of the flood's are left after each of its turns`);
  });

  it('tells a flood of wants from many peers to come back later, and answers who asks for little', async () => {
    const bench = new Bench({ limits: { openInAll: 2000, streams: 40 } });
    const line = [new Link(10_000_000)];
    const floods = Array.from({ length: 20 }, (_, i) => bench.connect(`flood ${i}`, { back: line }));
    for (const stream of floods) await say(stream, HELLO, { type: 'want', items: items(1000, 0, LARGE.cid) });
    await bench.pass(10);
    assert.ok(bench.server.open <= 2000, `${bench.server.open}`);
    const modest = bench.connect('modest');
    await say(modest, HELLO, { type: 'want', items: items(1) });
    assert.equal(contentOf((await bench.listen(modest, 100)).messages), SMALL.bytes.length, 'it has its turn');
    const last = floods.at(-1);
    assert.ok(last);
    assert.ok((await bench.listen(last, 5000)).messages.some(({ type }) => type === 'busy'));
    for (const stream of floods) stream.abort();
    await bench.pass(100);
    assert.equal(bench.server.open, 0);
  });

  it('refuses the connections that are too many, in all and of one peer, and serves on', async () => {
    const bench = new Bench();
    const first = bench.connect('first');
    await say(first, HELLO);
    for (let i = 0; i < 1000; i++) await say(bench.connect(`peer ${i}`), HELLO);
    await bench.pass(10);
    assert.equal(bench.server.streams, SERVER_LIMITS.streams);
    const late = bench.connect('late');
    const { messages, ended } = await bench.listen(late);
    assert.deepEqual(messages.map(({ type }) => type), ['busy']);
    assert.equal(ended, true);
    await say(first, { type: 'want', items: items(3) });
    assert.equal(contentOf((await bench.listen(first)).messages), 3 * SMALL.bytes.length);
    const other = new Bench();
    for (let i = 0; i < 20; i++) other.connect('one and the same');
    assert.equal(other.server.streams, SERVER_LIMITS.streamsPerPeer);
  });

  it('drops who says no hello, who does not finish a message, who does not read, and who asks for nothing', async () => {
    const bench = new Bench();
    bench.connect('silent');
    const torn = bench.connect('torn');
    await say(torn, HELLO);
    await torn.write(encodeMessage({ type: 'want', items: items(10) }).subarray(0, 100));
    const deaf = bench.connect('deaf', { window: 100_000 });
    await say(deaf, HELLO, { type: 'want', items: items(10, 0, LARGE.cid) });
    const idle = bench.connect('idle');
    await say(idle, HELLO);
    await bench.pass(5000);
    assert.equal(bench.server.streams, 4);
    await bench.pass(7000);
    assert.equal(bench.server.streams, 3, 'the silent one');
    await bench.pass(6000);
    assert.equal(bench.server.streams, 1, 'the torn and the deaf one');
    await bench.pass(300_000);
    assert.equal(bench.server.streams, 0);
    assert.equal(bench.server.open, 0);
  });

  it('shares a line between peers evenly, however many streams and wants each has', async () => {
    const sent = new Map<string, number>();
    const bench = new Bench({
      limits: { turns: 1 },
      upload: { allows: () => true, take: (_, bytes) => bench.clock.sleep(bytes / 1000) },
      onServed: ({ id }, bytes) => sent.set(id, (sent.get(id) ?? 0) + bytes),
    });
    const greedy = Array.from({ length: 6 }, () => bench.connect('greedy', { window: 2 ** 30 }));
    const modest = bench.connect('modest', { window: 2 ** 30 });
    for (const stream of [...greedy, modest]) await say(stream, HELLO, { type: 'want', items: items(100, 0, LARGE.cid) });
    await bench.pass(10_000);
    const [most = 0, least = 0] = [sent.get('greedy'), sent.get('modest')];
    assert.ok(Math.abs(most - least) <= 7 * 65_536, `${most} and ${least}`);
    assert.ok(most + least >= 9_000_000);
  });

  it('lets a small answer pass a large one', async () => {
    const bench = new Bench();
    const stream = bench.connect('peer', { back: [new Link(1_000_000)] });
    await say(stream, HELLO, { type: 'want', items: [...items(1, 0, LARGE.cid), ...items(1, 1)] });
    const { messages } = await bench.listen(stream, 200);
    assert.ok(messages.some((message) => message.type === 'data' && message.number === 1));
    assert.ok(contentOf(messages) < LARGE.bytes.length / 2);
  });

  it('says the same of what is not listed as of what nobody knows, after one look for each', async () => {
    const bench = new Bench();
    const stream = bench.connect();
    const unknown = cidOf(RAW, random.bytes(32));
    await say(stream, HELLO, { type: 'want', items: [...items(1, 0, unknown), ...items(1, 1, cidOf(RAW, random.bytes(32)))] });
    const { messages } = await bench.listen(stream);
    assert.deepEqual(messages.slice(1), [{ type: 'miss', numbers: [0, 1] }]);
    assert.equal(bench.holdings.asked.length, 2);
  });

  it('sends a miss when what is listed is lost or damaged', async () => {
    const bench = new Bench();
    bench.holdings.find = () => ({ size: 100, compressible: false, read: () => new Uint8Array(50) });
    const stream = bench.connect();
    await say(stream, HELLO, { type: 'want', items: items(1) });
    assert.deepEqual((await bench.listen(stream)).messages.slice(1), [{ type: 'miss', numbers: [0] }]);
  });

  it('is busy for those that its allowance is used up for, and not for others', async () => {
    const bench = new Bench({ upload: { allows: (scope) => scope === 'lan', take: async () => undefined } });
    const far = bench.connect('far', { scope: 'swarm' });
    const near = bench.connect('near', { scope: 'lan' });
    for (const stream of [far, near]) await say(stream, HELLO, { type: 'want', items: items(1) });
    assert.deepEqual((await bench.listen(far)).messages.map(({ type }) => type), ['hello', 'busy']);
    assert.equal(contentOf((await bench.listen(near)).messages), SMALL.bytes.length);
  });

  it('finishes what was asked for when the other side will ask no more', async () => {
    const bench = new Bench();
    const stream = bench.connect('peer', { back: [new Link(5_000_000)] });
    await say(stream, HELLO, { type: 'want', items: items(2, 0, LARGE.cid) });
    await stream.close();
    const { messages, ended } = await bench.listen(stream, 2000);
    assert.equal(contentOf(messages), 2 * LARGE.bytes.length);
    assert.equal(ended, true);
  });
});
