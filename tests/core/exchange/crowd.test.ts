import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyBlock } from '../../../core/dag/block.ts';
import { News } from '../../../core/exchange/news.ts';
import { PeerSource } from '../../../core/exchange/peer-source.ts';
import { ExchangeServer } from '../../../core/exchange/server.ts';
import { fetchBlocks } from '../../../core/exchange/session.ts';
import { MemoryBlockstore } from '../../../core/memory/blockstore.ts';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { MemoryHoldings } from '../../../core/memory/holdings.ts';
import { SeededRandom } from '../../../core/memory/random.ts';
import { MemorySource } from '../../../core/memory/source.ts';
import { Link, MemoryPeer } from '../../../core/memory/stream.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { crowd, percentile } from './crowd.ts';
import { someBlocks } from './race.ts';

/** Bytes a second of the origin, for all of them together. */
const RATE = 3_000_000;
const BLOCKS = await someBlocks(32, 2, 400_000);
const TOTAL = BLOCKS.reduce((sum, { bytes }) => sum + bytes.length, 0);

describe('a crowd that fetches the same at once', () => {
  for (const [size, neighbours] of [[8, 8], [40, 6]] as const) {
    it(`takes little more than one copy from the origin, and nobody is much later, as ${size} who know ${neighbours < size - 1 ? neighbours : size - 1} others each`, async () => {
      const { copies, times } = await crowd({ size, blocks: BLOCKS, originRate: RATE, neighbours });
      assert.equal(times.length, size);
      assert.ok(copies <= 1.5, `${copies} copies`);
      // The origin alone would take as many times as long as there are members.
      const alone = (size * TOTAL * 1000) / RATE;
      assert.ok(percentile(times, 1) <= alone / 2, `${percentile(times, 1)} ms, where the origin alone takes ${alone}`);
      assert.ok(percentile(times, 0.99) <= 1.5 * percentile(times, 0.5), `${percentile(times, 0.5)} and ${percentile(times, 0.99)} ms`);
    });
  }
});

describe('a peer that claims all blocks and brings none', () => {
  it('holds up whom it tells so for a while, and once', async () => {
    const clock = new VirtualClock();
    const store = new MemoryBlockstore();
    for (const { cid, bytes } of BLOCKS) await store.put(cid, bytes);
    const news = new News(clock);
    const theirs = new News(clock);
    const liar = new ExchangeServer({ holdings: new MemoryHoldings(), clock, news: theirs });
    const peer = new MemoryPeer({ id: 'liar', clock, latency: 15, scope: 'swarm', handler: liar.handle });
    const claiming = (async (): Promise<void> => {
      for (let round = 0; round < 100; round++) {
        for (const { cid } of BLOCKS) theirs.claim(cid.toString(), 0xffff_ffff, round);
        await clock.sleep(1500);
      }
    })();
    const accepted = new Set<string>();
    const work = fetchBlocks(BLOCKS.map(({ cid, bytes }) => ({ cid, maxBytes: bytes.length })), {
      sources: [new MemorySource({ name: 'origin', blocks: store, clock, latency: 20, concurrency: 12, line: new Link(RATE) }), new PeerSource({ peer, clock })],
      clock,
      random: new SeededRandom(1),
      self: 'honest',
      news,
      accept: async ({ cid }, bytes) => {
        await verifyBlock(cid, bytes, nodeHasher);
        accepted.add(cid.toString());
      },
    });
    await clock.run(Promise.race([work, claiming]));
    assert.equal(accepted.size, BLOCKS.length);
    assert.ok(clock.now() <= (TOTAL * 1000) / RATE + 7000, `${clock.now()}`);
  });
});
