import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DELTA_LIMITS, DeltaMaker, type DeltaLimits, type MadeDelta } from '../../../core/exchange/delta-maker.ts';
import { VirtualClock } from '../../../core/memory/clock.ts';
import type { Compressor } from '../../../core/ports/compressor.ts';
import type { DeltaEnd } from '../../../core/ports/holdings.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { nodeCompressor } from '../../../node/zstd.ts';
import { noise } from '../../e2e/fixture.ts';

/** A file that counts how often it is read. */
function held(content: Uint8Array): DeltaEnd & { reads: number } {
  const file = {
    key: Buffer.from(nodeHasher.sha256(content)).toString('hex'),
    size: content.length,
    reads: 0,
    read: () => {
      file.reads++;
      return content;
    },
  };
  return file;
}

const old = noise(300_000, 1);
const next = Buffer.concat([Buffer.from('new'), old.subarray(0, 200_000), Buffer.from('here'), old.subarray(200_000)]);

/** A maker whose compressor takes as long as is said, by its clock. */
function begin(limits: Partial<DeltaLimits> = {}, milliseconds = 0) {
  const clock = new VirtualClock();
  const calls = { now: 0, most: 0, all: 0 };
  const compressor: Compressor = {
    compress: async (bytes, options) => {
      calls.now++;
      calls.all++;
      calls.most = Math.max(calls.most, calls.now);
      if (milliseconds > 0) await clock.sleep(milliseconds);
      calls.now--;
      return nodeCompressor.compress(bytes, options);
    },
    decompress: (bytes, options) => nodeCompressor.decompress(bytes, options),
  };
  const deltas = new DeltaMaker({ clock, compressor, limits: { ...DELTA_LIMITS, ...limits } });
  const maker = { make: (base: DeltaEnd, target: DeltaEnd, peer = 'peer'): Promise<MadeDelta> => deltas.make(peer, { base, target }) };
  return { clock, calls, maker };
}

describe('a delta on request', () => {
  it('gives the very file to who has the old one, for a small part of its bytes', async () => {
    const made = await begin().maker.make(held(old), held(next));
    assert.ok(made.kind === 'delta' && made.bytes.length < next.length / 100);
    assert.deepEqual(Buffer.from(nodeCompressor.decompress(made.bytes, { size: next.length, dictionary: old })), next);
  });

  it('is made once, and for all who ask at the same time', async () => {
    const { maker, calls } = begin();
    const [from, to] = [held(old), held(next)];
    const all = await Promise.all([maker.make(from, to), maker.make(from, to)]);
    const later = await maker.make(from, to);
    assert.deepEqual([...all, later].map(({ kind }) => kind), ['delta', 'delta', 'delta']);
    assert.deepEqual([calls.all, from.reads, to.reads], [1, 1, 1]);
  });

  it('is not made where it saves nothing, and not tried again', async () => {
    const { maker, calls } = begin();
    const [from, to] = [held(old), held(noise(300_000, 2))];
    assert.deepEqual([await maker.make(from, to), await maker.make(from, to)], [{ kind: 'none' }, { kind: 'none' }]);
    assert.equal(calls.all, 1);
  });

  it('is not tried for what is too large: it is not even read', async () => {
    const { maker } = begin({ content: 100_000 });
    const [from, to] = [held(old), held(next)];
    assert.deepEqual(await maker.make(from, to), { kind: 'none' });
    assert.deepEqual(await begin({ base: 100_000 }).maker.make(from, to), { kind: 'none' });
    assert.equal(from.reads + to.reads, 0);
  });

  it('is made one at a time, and only so many wait', async () => {
    const { maker, calls, clock } = begin({ waiting: 3 }, 10);
    const asked = Array.from({ length: 6 }, (_, i) => maker.make(held(old), held(Buffer.concat([next, Buffer.from([i])]))));
    const kinds = (await clock.run(Promise.all(asked))).map(({ kind }) => kind);
    assert.deepEqual(kinds, ['delta', 'delta', 'delta', 'busy', 'busy', 'busy']);
    assert.equal(calls.most, 1);
  });

  it('is made for those who had least made for them, however much others ask for', async () => {
    const { maker, clock } = begin({ waitingPerPeer: 8 }, 10);
    const done: string[] = [];
    const ask = async (peer: string, i: number): Promise<string> => {
      const { kind } = await maker.make(held(old), held(Buffer.concat([next, Buffer.from(`${peer} ${i}`)])), peer);
      if (kind === 'delta') done.push(peer);
      return kind;
    };
    const greedy = Array.from({ length: 12 }, (_, i) => ask('greedy', i));
    const modest = [ask('modest', 0), ask('modest', 1)];
    assert.deepEqual((await clock.run(Promise.all(greedy))).filter((kind) => kind === 'busy').length, 4);
    await clock.run(Promise.all(modest));
    assert.ok(done.slice(0, 5).filter((peer) => peer === 'modest').length === 2, done.join(' '));
  });

  it('is not made where a file is not there any more as it was', async () => {
    const { maker } = begin();
    const shorter = { ...held(next), size: next.length + 1 };
    assert.deepEqual(await maker.make(held(old), shorter), { kind: 'none' });
  });

  it('is made of a little file where it is smaller, since others would be for nothing without it', async () => {
    const [from, to] = [held(Buffer.from('version 1.0\n'.repeat(2))), held(Buffer.from(`version 1.1\n${'version 1.0\n'.repeat(3)}`))];
    const made = await begin().maker.make(from, to);
    assert.ok(made.kind === 'delta' && made.bytes.length < to.size);
  });

  it('takes no more than its share of the processor', async () => {
    const { maker, clock } = begin({ share: 0.1 }, 4000);
    const ask = async (i: number): Promise<string> => (await clock.run(maker.make(held(old), held(Buffer.concat([next, Buffer.from([i])]))))).kind;
    const kinds: string[] = [];
    for (let i = 0; i < 5; i++) kinds.push(await ask(i));
    // 6 seconds are there at first, of which each takes 4 and brings back 0.4.
    assert.deepEqual(kinds, ['delta', 'delta', 'busy', 'busy', 'busy']);
    await clock.run(clock.sleep(60_000));
    assert.equal(await ask(9), 'delta');
  });

  it('is forgotten when others need its place', async () => {
    const { maker, calls } = begin({ cache: 1000 });
    const targets = Array.from({ length: 5 }, (_, i) => held(Buffer.concat([next, Buffer.from([i])])));
    const from = held(old);
    for (const to of targets) await maker.make(from, to);
    const [first] = targets;
    assert.ok(first !== undefined);
    await maker.make(from, first);
    assert.equal(calls.all, 6);
  });
});
