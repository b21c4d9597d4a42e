import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rawBlock } from '../../../core/dag/block.ts';
import { PeerSource } from '../../../core/exchange/peer-source.ts';
import { ExchangeServer } from '../../../core/exchange/server.ts';
import { TokenBucket } from '../../../core/exchange/token-bucket.ts';
import { uploadLimits } from '../../../core/exchange/upload.ts';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { MemoryHoldings } from '../../../core/memory/holdings.ts';
import { SeededRandom } from '../../../core/memory/random.ts';
import { Link, MemoryPeer } from '../../../core/memory/stream.ts';
import type { PeerScope } from '../../../core/ports/transport.ts';
import { nodeHasher } from '../../../node/hasher.ts';

const random = new SeededRandom(6);
const BLOCKS = await Promise.all(Array.from({ length: 24 }, () => rawBlock(random.bytes(500_000), nodeHasher)));
const TOTAL = 12_000_000;
const RATE = 1_000_000;

interface Run {
  /** Milliseconds until the last peer had all. */
  ms: number;
  busy: number;
  /** Bytes that went beyond the local network. */
  sent: number;
}

/** Peers that each fetch all blocks from one machine, with limits at either end. */
async function exchange(scopes: PeerScope[], { up = 0, down = 0, allowance = 0 }: { up?: number; down?: number; allowance?: number }): Promise<Run> {
  const clock = new VirtualClock();
  const holdings = new MemoryHoldings();
  for (const { cid, bytes } of BLOCKS) holdings.addBlock(cid, bytes);
  let sent = 0;
  const server = new ExchangeServer({
    holdings, clock,
    upload: uploadLimits({ clock, rate: up, allowance, sentThisMonth: () => sent }),
    onServed: ({ scope }, bytes) => {
      if (scope !== 'lan') sent += bytes;
    },
  });
  const rate = down === 0 ? undefined : new TokenBucket(down, clock);
  let busy = 0;
  const gets = scopes.flatMap((scope, i) => {
    const peer = new MemoryPeer({ id: 'server', scope, clock, latency: 5, back: [new Link(50_000_000)], handler: server.handle, from: `peer ${i}` });
    const source = new PeerSource({ peer, clock, rate });
    return BLOCKS.map(async ({ cid }) => {
      await source.get({ cid, maxBytes: 500_000 }).catch(() => busy++);
    });
  });
  await clock.run(Promise.all(gets));
  return { ms: clock.now(), busy, sent };
}

function isWithin(rate: number, { ms }: Run, bytes: number): void {
  assert.ok(Math.abs(bytes / (ms / 1000) / rate - 1) <= 0.05, `${bytes / (ms / 1000)}`);
}

describe('limits beyond the local network', () => {
  it('hold the upload rate within 5 %, for all peers together', async () => {
    isWithin(RATE, await exchange(['swarm', 'swarm'], { up: RATE }), 2 * TOTAL);
  });

  it('hold the download rate within 5 %, from all peers together', async () => {
    isWithin(RATE, await exchange(['swarm', 'swarm'], { down: RATE }), 2 * TOTAL);
  });

  it('leave the local network alone', async () => {
    const { ms } = await exchange(['lan'], { up: RATE, down: RATE, allowance: 1 });
    assert.ok(TOTAL / (ms / 1000) > 20 * RATE);
  });

  it('are busy once the allowance of the month is used up, by not more than what was under way', async () => {
    const { busy, sent } = await exchange(['swarm'], { allowance: TOTAL / 2 });
    assert.ok(busy > 0);
    assert.ok(sent >= TOTAL / 2 && sent <= TOTAL / 2 + 2 * 500_000, `${sent}`);
    const clock = new VirtualClock();
    const limits = uploadLimits({ clock, rate: 0, allowance: 1000, sentThisMonth: () => 600 });
    assert.equal(limits.allows('swarm'), true);
    await limits.take('swarm', 500);
    assert.equal(limits.allows('swarm'), false);
    assert.equal(limits.allows('lan'), true);
  });
});
