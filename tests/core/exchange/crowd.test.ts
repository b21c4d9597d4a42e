import assert from 'node:assert/strict';
import { it } from 'node:test';
import { verifyBlock } from '../../../core/dag/block.ts';
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
import { someBlocks } from './race.ts';

const CROWD = 8;
/** Bytes a second of the origin, for all of them together. */
const RATE = 1_500_000;

it('a crowd that fetches the same at once takes less than two copies from the origin, in about that time, and nobody is much later', async () => {
  const blocks = await someBlocks(60, 2, 600_000);
  const total = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const clock = new VirtualClock();
  const store = new MemoryBlockstore();
  for (const { cid, bytes } of blocks) await store.put(cid, bytes);
  const origin = new Link(RATE);
  const members = Array.from({ length: CROWD }, (_, i) => {
    const holdings = new MemoryHoldings();
    holdings.frames = true;
    return { id: `member ${i}`, holdings, server: new ExchangeServer({ holdings, clock }), up: new Link(8_000_000) };
  });
  const times: number[] = [];
  let fromOrigin = 0;
  const runs = members.map(async ({ id, holdings }, i) => {
    const webseed = new MemorySource({ name: 'origin', blocks: store, clock, latency: 30, concurrency: 12, line: origin });
    const others = members.filter((member) => member.id !== id);
    const peers = others.map(({ id: other, server, up }) => new MemoryPeer({ id: other, scope: 'swarm', clock, latency: 15, back: [up], handler: server.handle, from: id }));
    await fetchBlocks(blocks.map(({ cid, bytes }) => ({ cid, maxBytes: bytes.length })), {
      sources: [webseed, ...peers.map((peer) => new PeerSource({ peer, clock }))],
      clock,
      random: new SeededRandom(i),
      self: id,
      accept: async ({ cid }, bytes) => {
        await verifyBlock(cid, bytes, nodeHasher);
        holdings.addBlock(cid, bytes);
      },
      onBytes: ({ kind }, count) => {
        if (kind === 'webseed') fromOrigin += count;
      },
    });
    times.push(clock.now());
  });
  await clock.run(Promise.all(runs));
  const copies = fromOrigin / total;
  assert.ok(copies <= 1.9, `${copies} copies`);
  const once = (total / RATE) * 1000;
  const sorted = times.toSorted((a, b) => a - b);
  const [half, last] = [sorted[CROWD / 2] ?? 0, sorted.at(-1) ?? 0];
  assert.ok(last <= 2 * once, `${last} ms, where one copy takes ${once}`);
  assert.ok(last <= 1.5 * half, `${half} and ${last} ms`);
});
