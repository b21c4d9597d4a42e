import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rawBlock, sameBytes, type Block } from '../../../core/dag/block.ts';
import { MossError } from '../../../core/error.ts';
import { IncomingRuns } from '../../../core/exchange/incoming-runs.ts';
import { PeerSource } from '../../../core/exchange/peer-source.ts';
import { ServedRuns } from '../../../core/exchange/served-runs.ts';
import { ExchangeServer } from '../../../core/exchange/server.ts';
import { encodeMessage } from '../../../core/exchange/wire/encode.ts';
import type { Data } from '../../../core/exchange/wire/message.ts';
import { encodeRun, type RunEntry } from '../../../core/exchange/wire/run.ts';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { MemoryHoldings } from '../../../core/memory/holdings.ts';
import { Link, MemoryPeer } from '../../../core/memory/stream.ts';
import type { PeerScope, StreamHandler } from '../../../core/ports/transport.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { nodeCompressor } from '../../../node/zstd.ts';
import { noise } from '../../e2e/fixture.ts';

/** Small files of one kind, as headers and manual pages are; an empty one, and one that does not compress. */
const WORDS = Array.from({ length: 400 }, (_, i) => noise(6, i + 1).toString('base64'));
const TEXTS = Array.from({ length: 300 }, (_, i) => Buffer.from(Array.from({ length: 120 + (i % 7) * 40 }, (__, at) => WORDS[(i * 31 + at * at) % WORDS.length]).join(' ')));
const FILES = await Promise.all([...TEXTS, Buffer.alloc(0), noise(3000, 77), noise(90_000, 78)].map((bytes) => rawBlock(new Uint8Array(bytes), nodeHasher)));
const SOLID = nodeCompressor.compress(Buffer.concat(FILES.map(({ bytes }) => bytes)), { level: 19 }).length;

interface Circumstances {
  scope?: PeerScope;
  /** Whether the asker has a compressor, and whether each side carries runs. */
  zstd?: boolean;
  reads?: boolean;
  makes?: boolean;
  has?: (i: number) => boolean;
  handler?: StreamHandler;
}

function begin({ scope = 'swarm', zstd = true, reads = true, makes = true, has = () => true, handler }: Circumstances = {}) {
  const clock = new VirtualClock();
  const holdings = new MemoryHoldings();
  for (const [i, { cid, bytes }] of FILES.entries()) if (has(i)) holdings.addFile(cid, bytes);
  const server = new ExchangeServer({ holdings, clock, compressor: nodeCompressor, runs: makes ? ServedRuns : undefined });
  const line = new Link(10_000_000);
  const peer = new MemoryPeer({ id: 'peer', scope, clock, latency: 5, back: [line], handler: handler ?? server.handle });
  return { clock, server, line, source: new PeerSource({ peer, clock, compressor: zstd ? nodeCompressor : undefined, runs: reads ? IncomingRuns : undefined }) };
}

function get(source: PeerSource, { cid, bytes }: Block): Promise<Uint8Array> {
  return source.get({ cid, maxBytes: bytes.length });
}

describe('small files from a peer of the swarm', () => {
  it('come as runs: together hardly more than an archive of them', async () => {
    const { clock, line, source, server } = begin();
    const got = await clock.run(Promise.all(FILES.map((file) => get(source, file))));
    for (const [i, { bytes }] of FILES.entries()) assert.ok(sameBytes(got[i] ?? Uint8Array.of(1), bytes), `${i}`);
    assert.ok(line.carried < 1.2 * SOLID, `${line.carried / SOLID} of an archive`);
    assert.equal(server.open, 0);
  });

  it('come, too, where a few are asked for while one run brings all others', async () => {
    const { clock, source } = begin();
    const [first, last] = [FILES.slice(0, 100), FILES.slice(100, 110)];
    const some = first.map((file) => get(source, file));
    await clock.run(source.greet());
    const others = last.map((file) => get(source, file));
    await clock.run(Promise.all([...some, ...others]));
    assert.ok(clock.now() < 1000, `${clock.now()} ms`);
  });

  it('come as they are on a local network, and to those who read no zstd', async () => {
    for (const options of [{ scope: 'lan' as const }, { zstd: false }]) {
      const { clock, line, source } = begin(options);
      await clock.run(Promise.all(FILES.map((file) => get(source, file))));
      assert.ok(line.carried > FILES.reduce((sum, { bytes }) => sum + bytes.length, 0));
    }
  });

  it('come one by one where either side has no runs: more bytes, and all of them right', async () => {
    for (const options of [{ reads: false }, { makes: false }, { reads: false, makes: false }]) {
      const { clock, line, source, server } = begin(options);
      const got = await clock.run(Promise.all(FILES.map((file) => get(source, file))));
      for (const [i, { bytes }] of FILES.entries()) assert.ok(sameBytes(got[i] ?? Uint8Array.of(1), bytes), `${i}`);
      assert.ok(line.carried > 1.3 * SOLID, `${line.carried / SOLID} of an archive`);
      assert.ok(line.carried < FILES.reduce((sum, { bytes }) => sum + bytes.length, 0), 'each is compressed by itself');
      assert.equal(server.open, 0);
    }
  });

  it('are counted for rates and turns by the bytes that travel', async () => {
    let served = 0;
    const clock = new VirtualClock();
    const holdings = new MemoryHoldings();
    for (const { cid, bytes } of FILES) holdings.addFile(cid, bytes);
    const server = new ExchangeServer({ holdings, clock, compressor: nodeCompressor, runs: ServedRuns, onServed: (_, bytes) => (served += bytes) });
    const line = new Link(10_000_000);
    const source = new PeerSource({ peer: new MemoryPeer({ id: 'peer', scope: 'swarm', clock, latency: 5, back: [line], handler: server.handle }), clock, compressor: nodeCompressor, runs: IncomingRuns });
    let came = 0;
    await clock.run(Promise.all(FILES.map(({ cid, bytes }) => source.get({ cid, maxBytes: bytes.length }, { onBytes: (count) => (came += count) }))));
    assert.equal(came, served);
    assert.ok(served < line.carried && served > 0.95 * line.carried, `${served} of ${line.carried}`);
  });

  it('are missed one by one where some of them are not there', async () => {
    const { clock, source } = begin({ has: (i) => i % 3 !== 1 });
    const got = await clock.run(Promise.allSettled(FILES.map((file) => get(source, file))));
    for (const [i, { status }] of got.entries()) assert.equal(status, i % 3 === 1 ? 'rejected' : 'fulfilled', `${i}`);
  });

  it('come to those who still want them when others are cancelled', async () => {
    const { clock, source, server } = begin();
    await clock.run(source.greet());
    const controller = new AbortController();
    const cancelled = FILES.filter((_, i) => i % 2 === 0).map(({ cid, bytes }) => source.get({ cid, maxBytes: bytes.length }, { signal: controller.signal }));
    const wanted = FILES.filter((_, i) => i % 2 === 1).map((file) => get(source, file));
    const all = Promise.allSettled([...cancelled, ...wanted]);
    await clock.run(clock.sleep(6));
    controller.abort(new MossError('aborted', 'not wanted any more'));
    const got = await clock.run(all);
    assert.ok(got.slice(cancelled.length).every(({ status }) => status === 'fulfilled'));
    assert.equal((await clock.run(get(source, FILES[3] ?? { cid: FILES[0]?.cid, bytes: new Uint8Array() } as Block))).length, FILES[3]?.bytes.length);
    assert.equal(server.open, 0);
  });
});

function content(i: number): Uint8Array {
  return FILES[i]?.bytes ?? new Uint8Array();
}

function packed(bytes: Uint8Array): Uint8Array {
  return nodeCompressor.compress(bytes, { level: 3 });
}

function isRefusal(error: unknown): boolean {
  return error instanceof MossError && error.code === 'bad-message';
}

/** What a liar says: entries as a run, or bytes as they are, of which it says what they unpack to. */
type Say = (entries: readonly RunEntry[] | { bytes: Uint8Array; plain: number }, number?: number) => Promise<void>;

describe('a run that lies', () => {
  const right = [0, 1].map((i) => ({ number: i, bytes: content(i) }));
  const longer = { number: 0, bytes: new Uint8Array(content(0).length + 1) };

  /** What becomes of two files that a peer answers so. */
  async function ask(answer: (say: Say) => Promise<void>, options: Circumstances = {}): Promise<string[]> {
    const { clock, source } = begin({
      ...options,
      handler: async (stream) => {
        await stream.write(encodeMessage({ type: 'hello', version: 1, frames: false, files: true, deltas: false, news: false, zstd: false, runs: false, maxOpen: 100, repositories: [] }));
        await clock.sleep(20);
        await answer(async (said, number = 0) => {
          const { bytes, plain } = 'plain' in said ? said : { bytes: packed(encodeRun(said)), plain: encodeRun(said).length };
          await stream.write(encodeMessage({ type: 'data', number, encoding: 'zstd run', plain, length: bytes.length, at: 0, bytes }));
        });
        await clock.sleep(1000);
      },
    });
    const got = await clock.run(Promise.allSettled([0, 1].map((i) => source.get({ cid: (FILES[i] as Block).cid, maxBytes: content(i).length }))));
    return got.map((each) => (each.status === 'fulfilled' ? 'came' : each.reason instanceof MossError ? each.reason.code : 'thrown'));
  }

  it('is none when it is right', async () => {
    assert.deepEqual(await ask((say) => say(right)), ['came', 'came']);
    assert.deepEqual(await ask(async (say) => {
      await say(right.slice(0, 1));
      await say(right.slice(1), 1);
    }), ['came', 'came']);
  });

  it('ends the stream: what nobody asked for, too much, or twice', async () => {
    assert.deepEqual(await ask((say) => say([{ number: 0, bytes: content(0) }, { number: 700, bytes: new Uint8Array(content(1).length + 1) }])), ['bad-message', 'bad-message'], 'more than two files have');
    assert.deepEqual(await ask((say) => say([{ number: 0, bytes: content(0) }, { number: 700, bytes: new Uint8Array(5) }])), ['came', 'bad-message'], 'what was never asked for');
    assert.deepEqual(await ask((say) => say([longer, { number: 1, bytes: content(1).subarray(2) }])), ['bad-message', 'bad-message'], 'one longer than it may be');
    assert.deepEqual(await ask((say) => say(right, 700)), ['bad-message', 'bad-message'], 'a first number that was never used');
    assert.deepEqual(await ask(async (say) => {
      await say(right.slice(0, 1));
      await say(right.slice(0, 1));
    }), ['came', 'bad-message'], 'the same file again');
  });

  it('ends the stream: bytes that are no run of the length that was said', async () => {
    const run = encodeRun(right);
    assert.deepEqual(await ask((say) => say({ bytes: Buffer.from('no zstd'), plain: 100 })), ['bad-block', 'bad-block']);
    assert.deepEqual(await ask((say) => say({ bytes: packed(run), plain: run.length - 1 })), ['bad-block', 'bad-block'], 'unpacks to more');
    assert.deepEqual(await ask((say) => say({ bytes: packed(run.subarray(1)), plain: run.length })), ['bad-block', 'bad-block'], 'unpacks to less');
    assert.deepEqual(await ask((say) => say({ bytes: packed(run.subarray(0, -1)), plain: run.length - 1 })), ['bad-message', 'bad-message'], 'the end is missing');
    const trailing = Buffer.concat([encodeRun(right.slice(0, 1)), Buffer.from('behind')]);
    assert.deepEqual(await ask((say) => say({ bytes: packed(trailing), plain: trailing.length })), ['bad-message', 'bad-message'], 'something behind its files');
    assert.deepEqual(await ask((say) => say({ bytes: Uint8Array.of(1), plain: 1 })), ['bad-message', 'bad-message'], 'no room for a file');
  });

  it('ends the stream before anything is allocated for more than was asked for', async () => {
    const bomb = packed(new Uint8Array(2_000_000));
    assert.ok(bomb.length < 500);
    assert.deepEqual(await ask((say) => say({ bytes: bomb, plain: 2_000_000 })), ['bad-message', 'bad-message'], 'it says so');
    assert.deepEqual(await ask((say) => say({ bytes: bomb, plain: 500 })), ['bad-block', 'bad-block'], 'it does not say so');
  });

  it('ends the stream of who cannot read any', async () => {
    assert.deepEqual(await ask((say) => say(right), { reads: false }), ['bad-message', 'bad-message']);
    assert.deepEqual(await ask((say) => say(right), { zstd: false }), ['bad-message', 'bad-message']);
  });

  it('that leaves a file out is as if it was not answered', async () => {
    assert.deepEqual(await ask((say) => say(right.slice(0, 1))), ['came', 'source-failed']);
  });
});

/** Room for two runs of 10,000 bytes. */
const TWO = (): number => 25_000;

describe('runs on their way in', () => {
  it('are four at most', () => {
    const runs = new IncomingRuns(nodeCompressor);
    const take = (number: number): unknown =>
      runs.take({ type: 'data', number, encoding: 'zstd run', plain: 100, length: 100, at: 0, bytes: new Uint8Array(20) }, () => 100_000);
    for (const number of [0, 1, 2, 3]) assert.equal(take(number), undefined);
    assert.throws(() => take(4), isRefusal);
  });

  it('share what may come: nobody has more unpacked at the same time', async () => {
    const run = encodeRun([{ number: 0, bytes: new Uint8Array(10_000) }]);
    const small = packed(run);
    const whole = (number: number): Data => ({ type: 'data', number, encoding: 'zstd run', plain: run.length, length: small.length, at: 0, bytes: small });
    const runs = new IncomingRuns(nodeCompressor);
    const first = [0, 1].map((number) => runs.take(whole(number), TWO));
    assert.throws(() => runs.take(whole(2), TWO), isRefusal, 'a third while the two are unpacked');
    assert.deepEqual((await Promise.all(first)).map((entries) => entries?.[0]?.bytes.length), [10_000, 10_000]);
    const later = new IncomingRuns(nodeCompressor);
    for (const number of [0, 1, 2]) assert.equal((await later.take(whole(number), TWO))?.length, 1, 'one after the other');
  });
});
