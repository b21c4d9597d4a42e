import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as assertProperty, asyncProperty, constantFrom, integer, nat, tuple } from 'fast-check';
import { rawBlock, verifyBlock, type Block } from '../../../core/dag/block.ts';
import type { Cid } from '../../../core/dag/cid.ts';
import { MossError, type ErrorCode } from '../../../core/error.ts';
import { fetchBlocks, type Want } from '../../../core/exchange/session.ts';
import { MemoryBlockstore } from '../../../core/memory/blockstore.ts';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { MemorySource, type MemorySourceOptions } from '../../../core/memory/source.ts';
import type { Source } from '../../../core/ports/source.ts';
import { nodeHasher } from '../../../node/hasher.ts';

const BLOCKS: Block[] = await Promise.all(Array.from({ length: 40 }, (_, i) => rawBlock(Buffer.from(`block ${i}`), nodeHasher)));
const WRONG = Buffer.from('wrong!!');

async function storeOf(blocks: readonly Block[]): Promise<MemoryBlockstore> {
  const store = new MemoryBlockstore();
  for (const { cid, bytes } of blocks) await store.put(cid, bytes);
  return store;
}

const everything = await storeOf(BLOCKS);
const nothing = await storeOf([]);

/** A source that is found while the session goes on, at a time; and when the search for such ends. */
interface Search {
  found?: { at: number; blocks: MemoryBlockstore };
  ends: number;
}

interface Outcome {
  accepted: string[];
  missed: [string, ErrorCode][];
  error: MossError | undefined;
  ms: number;
  sources: MemorySource[];
}

/** Fetches blocks with sources of choice, on a clock of its own. */
async function fetchWith(sources: Partial<MemorySourceOptions>[], { blocks = BLOCKS, after, optional, signal, search, taking = 0 }: { blocks?: Block[]; after?: Cid[]; optional?: boolean; taking?: number; signal?: (clock: VirtualClock) => AbortSignal; search?: Search } = {}): Promise<Outcome> {
  const clock = new VirtualClock();
  const made = sources.map((options, i) => new MemorySource({ name: `source ${i}`, blocks: everything, clock, latency: 10, ...options }));
  const accepted: string[] = [];
  const work = fetchBlocks(
    blocks.map(({ cid, bytes }) => ({ cid, maxBytes: bytes.length, after, optional })),
    {
      sources: made,
      clock,
      ...(signal !== undefined && { signal: signal(clock) }),
      ...(search !== undefined && {
        join: (add) => {
          const { found, ends } = search;
          if (found !== undefined) void clock.sleep(found.at).then(() => add(new MemorySource({ name: 'found', blocks: found.blocks, clock, latency: 10 })));
          return clock.sleep(ends);
        },
      }),
      hasher: nodeHasher,
      accept: async ({ cid }, bytes) => {
        if (taking > 0) await clock.sleep(taking);
        await verifyBlock(cid, bytes, nodeHasher);
        accepted.push(cid.toString());
      },
    },
  );
  let error: MossError | undefined;
  let missed: Outcome['missed'] = [];
  try {
    await clock.run(work);
    missed = [...(await work).missed].map(([{ cid }, { code }]) => [cid.toString(), code]);
  } catch (thrown) {
    if (!(thrown instanceof MossError)) throw thrown;
    error = thrown;
  }
  return { accepted, missed, error, ms: clock.now(), sources: made };
}

function fail(code: ErrorCode): () => never {
  return () => {
    throw new MossError(code, code);
  };
}

const all = BLOCKS.map(({ cid }) => cid.toString()).toSorted();

describe('a session', () => {
  it('goes on without optional blocks that no source has, and tells of each', async () => {
    const half = await storeOf(BLOCKS.slice(0, 20));
    for (const sources of [[{ blocks: half }], [{ blocks: half }, { blocks: half }], [{ blocks: half }, { fault: fail('source-failed') }]]) {
      const { accepted, missed, error } = await fetchWith(sources, { optional: true });
      assert.equal(error, undefined);
      assert.deepEqual(accepted.toSorted(), BLOCKS.slice(0, 20).map(({ cid }) => cid.toString()).toSorted());
      assert.deepEqual(missed.map(([cid]) => cid).toSorted(), BLOCKS.slice(20).map(({ cid }) => cid.toString()).toSorted());
      assert.ok(missed.every(([, code]) => code === 'no-source' || code === 'source-failed'));
    }
  });

  it('waits for an optional block as long as a source may yet be found that has it', async () => {
    const { accepted, missed } = await fetchWith([{ blocks: nothing }], { optional: true, search: { found: { at: 500, blocks: everything }, ends: 1000 } });
    assert.deepEqual(accepted.toSorted(), all);
    assert.deepEqual(missed, []);
  });

  it('takes in what waited for an optional block that no source has', async () => {
    const [first, ...others] = BLOCKS;
    assert.ok(first);
    const clock = new VirtualClock();
    const accepted: string[] = [];
    const work = fetchBlocks([{ cid: first.cid, maxBytes: 100, optional: true }, ...others.map(({ cid }) => ({ cid, maxBytes: 100, after: [first.cid] }))], {
      sources: [new MemorySource({ name: 'source', blocks: await storeOf(others), clock, latency: 10 })],
      clock,
      accept: async ({ cid }) => void accepted.push(cid.toString()),
    });
    await clock.run(work);
    assert.deepEqual(accepted.toSorted(), others.map(({ cid }) => cid.toString()).toSorted());
  });

  it('gets every block once from one source', async () => {
    const { accepted, error, sources } = await fetchWith([{}]);
    assert.equal(error, undefined);
    assert.deepEqual(accepted.toSorted(), all);
    assert.deepEqual(sources[0]?.asked.toSorted(), all);
  });

  it('gets every block once where many come at the same moment', async () => {
    const clock = new VirtualClock();
    const asked: string[] = [];
    let moment: Promise<void> | undefined;
    const source: Source = {
      name: 'one',
      kind: 'lan',
      concurrency: 8,
      get: async ({ cid }, { onBytes } = {}) => {
        asked.push(cid.toString());
        await (moment ??= clock.sleep(10).then(() => void (moment = undefined)));
        const bytes = await everything.get(cid);
        onBytes?.(bytes?.length ?? 0);
        return bytes ?? Buffer.alloc(0);
      },
    };
    await clock.run(fetchBlocks(BLOCKS.map(({ cid, bytes }) => ({ cid, maxBytes: bytes.length })), { sources: [source], clock, accept: ({ cid }, bytes) => verifyBlock(cid, bytes, nodeHasher) }));
    assert.deepEqual(asked.toSorted(), all);
  });

  it('asks no source for more blocks at once than it takes', async () => {
    const { sources } = await fetchWith([{ concurrency: 3 }, { concurrency: 1 }]);
    assert.deepEqual(sources.map(({ busiest }) => busiest), [3, 1]);
  });

  it('asks for a block that is wanted twice only once', async () => {
    const [first] = BLOCKS;
    assert.ok(first);
    const { accepted, sources } = await fetchWith([{}], { blocks: [first, first, first] });
    assert.equal(accepted.length, 1);
    assert.equal(sources[0]?.asked.length, 1);
  });

  it('asks for what starts from others once these were taken in', async () => {
    const [[first, second], rest] = [BLOCKS.slice(0, 2), BLOCKS.slice(2)];
    assert.ok(first && second);
    const [isAwaited, after] = [new Set([first, second].map(({ cid }) => cid.toString())), [first.cid, second.cid]];
    const clock = new VirtualClock();
    const source = new MemorySource({ name: 'one', blocks: everything, clock, latency: 10, concurrency: 4 });
    const taken: string[] = [];
    const wants = [...rest.map(({ cid, bytes }) => ({ cid, maxBytes: bytes.length, after })), ...[first, second].map(({ cid, bytes }) => ({ cid, maxBytes: bytes.length }))];
    const accept = async ({ cid }: Want): Promise<void> => {
      await clock.sleep(isAwaited.has(cid.toString()) ? 100 : 1);
      taken.push(cid.toString());
    };
    await clock.run(fetchBlocks(wants, { sources: [source], clock, accept }));
    assert.deepEqual(new Set(taken.slice(0, 2)), isAwaited);
    assert.deepEqual(taken.toSorted(), all);
  });

  it('does not wait for what nobody wants', async () => {
    const [absent, ...rest] = BLOCKS;
    assert.ok(absent);
    const { accepted } = await fetchWith([{}], { blocks: rest, after: [absent.cid] });
    assert.equal(accepted.length, rest.length);
  });

  it('asks two sources for one block only at the end, where the first one takes longer than most did', async () => {
    const { sources } = await fetchWith([{ latency: 5 }, { latency: 50 }, { latency: 7 }]);
    const asked = sources.map((source) => source.asked);
    const twice = asked.flat().length - BLOCKS.length;
    assert.ok(twice <= 4, `${twice} of the slow source's four lanes`);
    assert.ok((asked[1]?.length ?? 0) < (asked[0]?.length ?? 0) / 2);
  });

  it('resolves at once when nothing is wanted, even without sources', async () => {
    assert.equal((await fetchWith([], { blocks: [] })).error, undefined);
  });

  it('says no-source where there is no source', async () => {
    assert.equal((await fetchWith([])).error?.code, 'no-source');
  });

  it('goes to the next source for what the first one does not have', async () => {
    const { accepted, error } = await fetchWith([{ blocks: nothing }, {}]);
    assert.equal(error, undefined);
    assert.deepEqual(accepted.toSorted(), all);
  });

  it('says no-source, exit 69, when a block is nowhere', async () => {
    const { error } = await fetchWith([{ blocks: nothing }, { blocks: nothing }]);
    assert.equal(error?.code, 'no-source');
    assert.equal(error.exitCode, 69);
  });

  it('waits for who may be found, as long as there is a search, and gives up with it', async () => {
    const [late, ...rest] = BLOCKS;
    assert.ok(late);
    const some = await storeOf(rest);
    for (const fault of [undefined, fail('source-failed')]) {
      const found = await fetchWith([{ blocks: some, fault }], { search: { found: { at: 9000, blocks: everything }, ends: 10_000 } });
      assert.equal(found.error, undefined);
      assert.deepEqual(found.accepted.toSorted(), all);
      const missed = await fetchWith([{ blocks: some, fault }], { search: { ends: 10_000 } });
      assert.equal(missed.error?.code, fault === undefined ? 'no-source' : 'source-failed');
      assert.ok(missed.ms >= 10_000 && missed.ms < 10_200, `${missed.ms} ms`);
      assert.equal(missed.accepted.length, fault === undefined ? rest.length : 0);
      const without = await fetchWith([{ blocks: nothing }], { search: { found: { at: 9000, blocks: some }, ends: 10_000 } });
      assert.equal(without.error?.code, 'no-source');
    }
  });

  it('tries again when a source fails for a moment', async () => {
    const { error, accepted } = await fetchWith([{ concurrency: 12, fault: (_, times) => (times < 2 ? fail('source-failed')() : undefined) }]);
    assert.equal(error, undefined);
    assert.deepEqual(accepted.toSorted(), all);
  });

  it('gives a source up that always fails, and says so with exit 75, in bounded time', async () => {
    const { error, ms, sources } = await fetchWith([{ fault: fail('source-failed') }]);
    assert.equal(error?.code, 'source-failed');
    assert.equal(error.exitCode, 75);
    assert.ok(ms < 10_000, `${ms} ms`);
    assert.ok((sources[0]?.asked.length ?? 0) <= 12);
  });

  it('fails over from a source that always fails', async () => {
    const { error, ms, sources } = await fetchWith([{ fault: fail('source-failed') }, { latency: 20 }]);
    assert.equal(error, undefined);
    assert.ok(ms < 10_000, `${ms} ms`);
    assert.ok((sources[0]?.asked.length ?? 0) < 40);
  });

  it('bans a source that sends wrong bytes: it is not asked again', async () => {
    const { error, accepted, sources } = await fetchWith([{ concurrency: 1, fault: () => WRONG }, { latency: 30 }]);
    assert.equal(error, undefined);
    assert.deepEqual(accepted.toSorted(), all);
    assert.equal(sources[0]?.asked.length, 1);
  });

  it('ends with no-source when the only source lies', async () => {
    const { error, accepted } = await fetchWith([{ fault: () => WRONG }]);
    assert.equal(error?.code, 'no-source');
    assert.deepEqual(accepted, []);
  });

  it('ends at once with any other error of the one who takes the blocks in', async () => {
    const clock = new VirtualClock();
    const source = new MemorySource({ name: 'one', blocks: everything, clock, latency: 10, concurrency: 2 });
    const work = fetchBlocks(BLOCKS.map(({ cid }) => ({ cid, maxBytes: 100 })), { sources: [source], clock, accept: fail('disk-full') });
    await assert.rejects(clock.run(work), (error: unknown) => error instanceof MossError && error.code === 'disk-full');
    assert.ok(source.asked.length <= 2);
  });

  it('stops when it is aborted, and asks for nothing more', async () => {
    const controller = new AbortController();
    const { sources, accepted } = await fetchWith([{ latency: 100, concurrency: 2 }], {
      signal: (clock) => {
        void clock.sleep(250).then(() => controller.abort(new MossError('aborted', 'stop')));
        return controller.signal;
      },
    });
    assert.equal(accepted.length, 4);
    assert.equal(sources[0]?.asked.length, 6);
  });

  it('gets everything that some honest source has, whatever the others do, and each block once', async () => {
    const kind = constantFrom('honest', 'empty', 'failing', 'lying', 'flaky');
    await assertProperty(
      asyncProperty(array(tuple(kind, integer({ min: 1, max: 6 }), integer({ min: 0, max: 500 })), { minLength: 0, maxLength: 4 }), nat(4), async (others, at) => {
        const options = others.map(([what, concurrency, latency]): Partial<MemorySourceOptions> => {
          const faults: Record<string, MemorySourceOptions['fault']> = {
            failing: fail('source-failed'),
            lying: () => WRONG,
            flaky: ({ cid }, times) => (times === 0 && (cid.multihash.digest[0] ?? 0) % 2 === 0 ? fail('source-failed')() : undefined),
          };
          return { concurrency, latency, ...(what === 'empty' && { blocks: nothing }), fault: faults[what] };
        });
        const { error, accepted, ms, sources } = await fetchWith(options.toSpliced(at, 0, { latency: 20 }));
        assert.equal(error, undefined);
        assert.deepEqual(accepted.toSorted(), all);
        assert.ok(ms < 120_000, `${ms} ms`);
        for (const { asked } of sources) assert.ok(asked.length <= 3 * BLOCKS.length);
      }),
      { numRuns: 60 },
    );
  });

  it('takes one block of a liar at most, also of one that others were quicker than', async () => {
    const peer = tuple(integer({ min: 1, max: 300 }), integer({ min: 1, max: 4 }));
    await assertProperty(
      asyncProperty(integer({ min: 1, max: 300 }), peer, array(peer, { minLength: 1, maxLength: 3 }), integer({ min: 0, max: 300 }), integer({ min: 1, max: 40 }), async (floor, honest, liars, taking, count) => {
        const sent = liars.map(() => 0);
        const { error } = await fetchWith(
          [
            { latency: floor, concurrency: 2 },
            { kind: 'lan', latency: honest[0], concurrency: honest[1] },
            ...liars.map(([latency, concurrency], i): Partial<MemorySourceOptions> => ({ kind: 'lan', latency, concurrency, fault: () => ((sent[i] = (sent[i] ?? 0) + 1), WRONG) })),
          ],
          { blocks: BLOCKS.slice(0, count), taking },
        );
        assert.equal(error, undefined);
        assert.deepEqual(sent.filter((blocks) => blocks > 1), []);
      }),
      { numRuns: 60 },
    );
  });
});
