import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { HARMLESS, hostilePeers } from './hostile-peers.ts';
import { race, someBlocks, type PeerOptions } from './race.ts';

const BLOCK = 1024 * 1024;
const BLOCKS = await someBlocks(40, 8);
const TOTAL = BLOCKS.reduce((sum, { bytes }) => sum + bytes.length, 0);
const FLOOR = { rate: 10_000_000, latency: 20 };
const HONEST = { rate: 10_000_000 };
const floorAlone = await race({ blocks: BLOCKS, webseed: FLOOR });
const honestAlone = await race({ blocks: BLOCKS, peers: [HONEST] });
const KINDS = Object.keys(hostilePeers(new VirtualClock()));

function liar(what: string): PeerOptions {
  return {
    handler: (clock) => {
      const handler = hostilePeers(clock)[what];
      assert.ok(handler);
      return handler;
    },
  };
}

describe('a session, among peers that send', () => {
  for (const what of KINDS) {
    it(`${what}: is complete, as fast as without, and loses a block at most to each`, async () => {
      const outcome = await race({ blocks: BLOCKS, webseed: FLOOR, peers: [liar(what), liar(what), liar(what)] });
      assert.equal(outcome.error, undefined);
      assert.equal(outcome.accepted.size, BLOCKS.length);
      assert.ok(outcome.ms <= 1.05 * floorAlone.ms, `${outcome.ms / floorAlone.ms}`);
      for (const bytes of outcome.fromPeers) assert.ok(bytes <= BLOCK, `${bytes}`);
      assert.deepEqual(outcome.banned.length > 0, !HARMLESS.has(what), outcome.banned.join());
    });
  }

  it('all of these at once: is complete, and honest peers bring at least four fifths of what they would', async () => {
    const liars = KINDS.map(liar);
    const outcome = await race({ blocks: BLOCKS, peers: [...liars, HONEST] });
    assert.equal(outcome.error, undefined);
    assert.equal(outcome.accepted.size, BLOCKS.length);
    assert.ok(honestAlone.ms / outcome.ms >= 0.8, `${honestAlone.ms / outcome.ms}`);
    const lost = outcome.fromPeers.reduce((sum, bytes) => sum + bytes, 0) - TOTAL;
    assert.ok(lost <= liars.length * BLOCK, `${lost}`);
  });

  it('what is right, and wrong content later: loses a block, and bans', async () => {
    const peers = [{ ...HONEST, lies: (i: number) => i % 7 === 3 }, HONEST];
    const outcome = await race({ blocks: BLOCKS, webseed: FLOOR, peers });
    assert.equal(outcome.error, undefined);
    assert.deepEqual(outcome.banned, ['peer 0']);
    assert.ok((outcome.report?.wrong ?? 0) > 0 && (outcome.report?.wrong ?? 0) <= BLOCK);
  });
});
