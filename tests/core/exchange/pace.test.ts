import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rawBlock, sameBytes, type Block } from '../../../core/dag/block.ts';
import { IncomingRuns } from '../../../core/exchange/incoming-runs.ts';
import { PeerSource } from '../../../core/exchange/peer-source.ts';
import { ServedRuns } from '../../../core/exchange/served-runs.ts';
import { ExchangeServer } from '../../../core/exchange/server.ts';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { MemoryHoldings } from '../../../core/memory/holdings.ts';
import { SeededRandom } from '../../../core/memory/random.ts';
import { Link, MemoryPeer } from '../../../core/memory/stream.ts';
import type { Compressor } from '../../../core/ports/compressor.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { nodeCompressor } from '../../../node/zstd.ts';

/** Noise in hexadecimal: zstd makes a good half of it. */
const random = new SeededRandom(11);
const files = (count: number, length: number): Promise<Block[]> =>
  Promise.all(Array.from({ length: count }, () => rawBlock(Buffer.from(Buffer.from(random.bytes(length / 2)).toString('hex')), nodeHasher)));
const SMALL = await files(1500, 6000);
const LARGE = await files(24, 1_000_000);
const PACKED = await Promise.all(Array.from({ length: 24 }, () => rawBlock(random.bytes(1_000_000), nodeHasher)));

/** What a machine of the local network, which compresses where that is worth it, sends over a line: bytes, and milliseconds. */
async function serve(blocks: readonly Block[], rate: number, { compressor = () => nodeCompressor, streams }: { compressor?: (clock: VirtualClock) => Compressor; streams?: number } = {}): Promise<{ share: number; ms: number }> {
  const clock = new VirtualClock();
  const holdings = new MemoryHoldings();
  for (const { cid, bytes } of blocks) holdings.addFile(cid, bytes);
  const line = new Link(rate);
  const server = new ExchangeServer({ holdings, clock, compressor: compressor(clock), runs: ServedRuns });
  const peer = new MemoryPeer({ id: 'peer', scope: 'lan', clock, handler: server.handle, latency: 1, back: [line] });
  const source = new PeerSource({ peer, clock, compressor: nodeCompressor, runs: IncomingRuns, streams });
  const waiting = blocks.values();
  // As many at a time as a session asks for.
  const lane = async (): Promise<void> => {
    for (const { cid, bytes } of waiting) assert.ok(sameBytes(await source.get({ cid, maxBytes: bytes.length }), bytes));
  };
  await clock.run(Promise.all(Array.from({ length: 64 }, lane)));
  return { share: line.carried / blocks.reduce((sum, { bytes }) => sum + bytes.length, 0), ms: clock.now() };
}

/** As slow as the line. */
const sluggish = (clock: VirtualClock): Compressor => ({
  ...nodeCompressor,
  compress: async (bytes, options) => {
    await clock.sleep(bytes.length / 1000);
    return nodeCompressor.compress(bytes, options);
  },
});
const asIs = (): Compressor => ({ ...nodeCompressor, compress: (bytes) => bytes });

describe('a peer of the local network', () => {
  it('compresses for a slow line, once it is seen to be slow', async () => {
    for (const blocks of [SMALL, LARGE]) {
      const { share } = await serve(blocks, 4_000_000);
      assert.ok(share < 0.75, `${share} of the bytes`);
    }
  });

  it('takes the line for what it carries on all streams together', async () => {
    for (const blocks of [SMALL, LARGE]) {
      const [slow, quick] = [await serve(blocks, 12_000_000, { streams: 2 }), await serve(blocks, 24_000_000, { streams: 2 })];
      assert.ok(slow.share < 0.85 && quick.share > 1, `${slow.share} and ${quick.share} of the bytes`);
    }
  });

  it('goes on with it where many files gain nothing', async () => {
    const { share } = await serve(LARGE.flatMap((block, i) => [block, PACKED[i] ?? block]), 4_000_000);
    assert.ok(share < 0.87, `${share} of the bytes`);
  });

  it('sends everything as it is over a quick line', async () => {
    for (const blocks of [SMALL, LARGE]) {
      const { share } = await serve(blocks, 50_000_000);
      assert.ok(share > 1, `${share} of the bytes`);
    }
  });

  it('sends as it is what takes longer to compress than to send', async () => {
    const plain = await serve(LARGE, 4_000_000, { compressor: asIs });
    const tried = await serve(LARGE, 4_000_000, { compressor: sluggish });
    assert.ok(tried.share > 0.8 && tried.ms < plain.ms * 1.5, `${tried.share} of the bytes, in ${tried.ms} instead of ${plain.ms} ms`);
  });
});
