import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as assertProperty, asyncProperty, boolean, constantFrom, integer, option, record } from 'fast-check';
import { race, someBlocks, swallow, type Outcome, type PeerOptions, type RaceOptions } from './race.ts';

const BLOCKS = await someBlocks(60, 3);
const TOTAL = BLOCKS.reduce((sum, { bytes }) => sum + bytes.length, 0);
const BLOCK = 1024 * 1024;
const FLOOR = { rate: 10_000_000, latency: 20 };
const alone = await race({ blocks: BLOCKS, webseed: FLOOR });

function many(count: number, options: PeerOptions): PeerOptions[] {
  return Array.from({ length: count }, () => options);
}

const SILENT: PeerOptions = { handler: () => swallow };

function complete({ error, accepted }: Outcome): void {
  assert.equal(error, undefined);
  assert.equal(accepted.size, BLOCKS.length);
}

function share(outcome: Outcome): number {
  return outcome.fromPeers.reduce((sum, bytes) => sum + bytes, 0) / TOTAL;
}

describe('the floor, with peers that are of no use', () => {
  const useless: Record<string, PeerOptions[]> = {
    'that cannot be reached': many(5, { dead: true }),
    'that never answer': many(5, SILENT),
    'that are slow': many(5, { rate: 20_000, latency: 30 }),
    'that are slow and far': many(5, { scope: 'swarm', rate: 200_000, latency: 80 }),
    'that have nothing': many(5, { has: () => false }),
    'that vanish': many(8, { rate: 2_000_000, vanishesAt: 400 }),
    'that have a third of it, slowly': many(5, { rate: 50_000, has: (i) => i % 3 === 0 }),
  };
  for (const [what, peers] of Object.entries(useless)) {
    it(`is no slower with peers ${what}`, async () => {
      const outcome = await race({ blocks: BLOCKS, webseed: FLOOR, peers });
      complete(outcome);
      assert.ok(outcome.ms <= 1.05 * alone.ms, `${outcome.ms / alone.ms}`);
    });
  }

  it('is hardly slower even where all is over in a moment', async () => {
    const blocks = BLOCKS.slice(0, 8);
    const quick = { rate: 100_000_000, latency: 2 };
    const best = await race({ blocks, webseed: quick });
    const outcome = await race({ blocks, webseed: quick, peers: many(3, SILENT) });
    assert.ok(outcome.ms <= best.ms + 10, `${outcome.ms} after ${best.ms} ms`);
  });
});

describe('peers and the floor together', () => {
  it('are as fast as both, where they are equal', async () => {
    const outcome = await race({ blocks: BLOCKS, webseed: FLOOR, peers: [{ rate: FLOOR.rate }] });
    complete(outcome);
    assert.ok(alone.ms / outcome.ms >= 1.8, `${alone.ms / outcome.ms}`);
  });

  it('bring a few small blocks without asking for any twice, where a peer is near', async () => {
    const blocks = await someBlocks(3, 9, 20_000);
    const outcome = await race({ blocks, webseed: FLOOR, peers: [{}] });
    assert.equal(outcome.error, undefined);
    assert.equal(outcome.report?.duplicate, 0);
    assert.ok(outcome.ms < 2 * (FLOOR.latency + 5));
  });

  it('leave nine tenths to a local network that is ten times as fast', async () => {
    const outcome = await race({ blocks: BLOCKS, webseed: FLOOR, peers: [{}] });
    complete(outcome);
    assert.ok(share(outcome) >= 0.9, `${share(outcome)}`);
    assert.ok(outcome.ms < alone.ms / 6);
  });

  it('take from the floor what no peer has', async () => {
    const outcome = await race({ blocks: BLOCKS, webseed: FLOOR, peers: many(3, { has: (i) => i % 10 !== 0 }) });
    complete(outcome);
    assert.ok(outcome.fromWebseed >= BLOCKS.filter((_, i) => i % 10 === 0).reduce((sum, { bytes }) => sum + bytes.length, 0));
    assert.ok(outcome.ms < alone.ms / 2);
  });

  it('complete when nine of ten peers vanish', async () => {
    const peers = Array.from({ length: 10 }, (_, i): PeerOptions => ({ rate: 2_000_000, ...(i > 0 && { vanishesAt: 300 + 10 * i }) }));
    const outcome = await race({ blocks: BLOCKS, webseed: FLOOR, peers });
    complete(outcome);
    assert.ok(outcome.ms <= 1.05 * alone.ms);
  });
});

describe('peers alone', () => {
  it('are twice as fast when there are two', async () => {
    const one = await race({ blocks: BLOCKS, peers: [{ rate: 10_000_000 }] });
    const two = await race({ blocks: BLOCKS, peers: many(2, { rate: 10_000_000 }) });
    complete(two);
    assert.ok(one.ms / two.ms >= 1.8, `${one.ms / two.ms}`);
  });

  it('bring everything when the webseed is down and one of them has it all', async () => {
    complete(await race({ blocks: BLOCKS, peers: [...many(3, { has: (i) => i < 5 }), {}] }));
  });

  it('bring a single block although those who are asked first are silent', async () => {
    const outcome = await race({ blocks: BLOCKS.slice(0, 1), peers: [...many(3, SILENT), {}] });
    assert.equal(outcome.error, undefined);
    assert.ok(outcome.ms < 3000, `${outcome.ms}`);
  });

  it('bring what each has, once all of it is somewhere', async () => {
    const outcome = await race({ blocks: BLOCKS, peers: Array.from({ length: 5 }, (_, peer) => ({ has: (i: number) => i % 5 === peer })) });
    complete(outcome);
    assert.ok((outcome.report?.duplicate ?? 0) <= 0.03 * TOTAL);
  });

  it('fail with exit 75 when all vanish, and a second run fetches the rest alone', async () => {
    const first = await race({ blocks: BLOCKS, peers: many(3, { rate: 2_000_000, vanishesAt: 1000 }) });
    assert.equal(first.error?.exitCode, 75);
    assert.ok(first.accepted.size > 0 && first.accepted.size < BLOCKS.length);
    const second = await race({ blocks: BLOCKS, peers: [{}], already: first.accepted });
    assert.equal(second.error, undefined);
    assert.equal(first.accepted.size + second.accepted.size, BLOCKS.length);
    assert.equal(second.fromPeers[0], second.total);
  });
});

describe('any race', () => {
  const anyPeer = record({
    scope: constantFrom('lan' as const, 'swarm' as const),
    rate: constantFrom(20_000, 200_000, 1_000_000, 20_000_000),
    latency: integer({ min: 0, max: 120 }),
    part: integer({ min: 1, max: 10 }),
    dead: boolean(),
    silent: boolean(),
    vanishesAt: option(integer({ min: 0, max: 2000 }), { nil: undefined }),
  });
  const SLOW = { scope: 'swarm', rate: 200_000, latency: 6, dead: false, silent: false, vanishesAt: undefined } as const;

  it('with the floor brings everything, is not slower than the floor, and wastes little', async () => {
    const blocks = await someBlocks(40, 5, BLOCK / 4);
    const webseed = { rate: 2_500_000, latency: 20 };
    const best = await race({ blocks, webseed });
    await assertProperty(
      asyncProperty(array(anyPeer, { maxLength: 6 }), integer(), async (peers, seed) => {
        const options: RaceOptions = {
          blocks, webseed, seed,
          peers: peers.map(({ part, silent, vanishesAt, ...rest }) => ({
            ...rest,
            has: (i: number) => i % 10 < part,
            ...(silent && SILENT),
            ...(vanishesAt !== undefined && { vanishesAt }),
          })),
        };
        const outcome = await race(options);
        assert.equal(outcome.error, undefined);
        assert.equal(outcome.accepted.size, blocks.length);
        assert.ok(outcome.ms <= 1.05 * best.ms + 20, `${outcome.ms / best.ms}`);
        // What comes twice stays in its share, but for what slow peers had begun with.
        assert.ok((outcome.report?.duplicate ?? 0) <= 0.03 * outcome.total + peers.length * (BLOCK / 4), `${outcome.report?.duplicate}`);
        assert.equal(outcome.report?.wrong, 0);
      }),
      // The examples were found by other seeds: a slow peer that sends what was cancelled before what is waited for.
      { numRuns: 25, seed: 20, examples: [[[{ ...SLOW, part: 2 }], 1], [[{ ...SLOW, part: 2 }], 1351615083], [[{ ...SLOW, part: 9 }], -657657836]] },
    );
  });
});
