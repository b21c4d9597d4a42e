import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rawBlock, sameBytes, type Block } from '../../../core/dag/block.ts';
import { MossError } from '../../../core/error.ts';
import { PeerSource } from '../../../core/exchange/peer-source.ts';
import { ExchangeServer } from '../../../core/exchange/server.ts';
import { encodeMessage } from '../../../core/exchange/wire/encode.ts';
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

function begin({ scope = 'swarm', zstd = true, has = () => true, handler }: { scope?: PeerScope; zstd?: boolean; has?: (i: number) => boolean; handler?: StreamHandler } = {}) {
  const clock = new VirtualClock();
  const holdings = new MemoryHoldings();
  for (const [i, { cid, bytes }] of FILES.entries()) if (has(i)) holdings.addFile(cid, bytes);
  const server = new ExchangeServer({ holdings, clock, compressor: nodeCompressor });
  const line = new Link(10_000_000);
  const peer = new MemoryPeer({ id: 'peer', scope, clock, latency: 5, back: [line], handler: handler ?? server.handle });
  return { clock, server, line, source: new PeerSource({ peer, clock, compressor: zstd ? nodeCompressor : undefined }) };
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

  it('come as they are on a local network, and to those who read no zstd', async () => {
    for (const options of [{ scope: 'lan' as const }, { zstd: false }]) {
      const { clock, line, source } = begin(options);
      await clock.run(Promise.all(FILES.map((file) => get(source, file))));
      assert.ok(line.carried > FILES.reduce((sum, { bytes }) => sum + bytes.length, 0));
    }
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

describe('a run that lies', () => {
  const [first, second] = [0, 1];

  /** What becomes of two files that a peer answers so. */
  async function ask(answer: (say: (entries: RunEntry[] | Uint8Array, number?: number) => Promise<void>) => Promise<void>): Promise<string[]> {
    const { clock, source } = begin({
      handler: async (stream) => {
        await stream.write(encodeMessage({ type: 'hello', version: 1, frames: false, files: true, deltas: false, zstd: false, maxOpen: 100, repositories: [] }));
        await clock.sleep(20);
        await answer(async (entries, number = 0) => {
          const run = entries instanceof Uint8Array ? entries : encodeRun(entries);
          const bytes = entries instanceof Uint8Array ? entries : nodeCompressor.compress(run, { level: 3 });
          await stream.write(encodeMessage({ type: 'data', number, encoding: 'zstd run', plain: Math.max(run.length, bytes.length), length: bytes.length, at: 0, bytes }));
        });
        await clock.sleep(1000);
      },
    });
    const got = await clock.run(Promise.allSettled([first, second].map((i) => source.get({ cid: (FILES[i] as Block).cid, maxBytes: content(i).length }))));
    return got.map((each) => (each.status === 'fulfilled' ? 'came' : each.reason instanceof MossError ? each.reason.code : 'thrown'));
  }

  it('ends the stream: what nobody asked for, too much, twice, before it was asked, or what is no run', async () => {
    const right = [first, second].map((i) => ({ number: i, bytes: content(i) }));
    assert.deepEqual(await ask((say) => say(right)), ['came', 'came']);
    assert.deepEqual(await ask((say) => say([{ number: 0, bytes: content(0) }, { number: 700, bytes: content(1) }])), ['came', 'bad-message']);
    assert.deepEqual(await ask((say) => say([{ number: 0, bytes: new Uint8Array(content(0).length + 1) }, { number: 1, bytes: content(1) }])), ['bad-message', 'bad-message']);
    assert.deepEqual(await ask(async (say) => {
      await say([{ number: 0, bytes: content(0) }]);
      await say([{ number: 0, bytes: content(0) }]);
    }), ['came', 'bad-message']);
    assert.deepEqual(await ask((say) => say(right, 700)), ['bad-message', 'bad-message']);
    assert.deepEqual(await ask((say) => say(Buffer.from('no zstd'))), ['bad-block', 'bad-block']);
    assert.deepEqual(await ask((say) => say(nodeCompressor.compress(new Uint8Array(50_000_000), { level: 3 }).subarray(0, 60_000))), ['bad-block', 'bad-block']);
  });
});
