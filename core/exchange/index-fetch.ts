/** Gets the index of a repository: by deltas from the one that is here, where that is less to fetch, else whole. */
import { MAX_BLOCK_SIZE, sameBytes, verifyBlock } from '../dag/block.ts';
import type { Cid } from '../dag/cid.ts';
import { decodeRoot, type DeltaFrameRef, type IndexDelta, type IndexRef, type Root } from '../dag/root.ts';
import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compressor } from '../ports/compressor.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { Source } from '../ports/source.ts';
import { fetchBlocks, type Want } from './session.ts';

export interface FetchDeps extends AbortOptions {
  sources: readonly Source[];
  clock: Clock;
  hasher: Hasher;
  onBytes?: ((source: Source, count: number) => void) | undefined;
}

export interface IndexFetch extends FetchDeps {
  compressor: Compressor;
  /** What is here of an earlier revision, whole or not: it is held against what the roots say before it is used. */
  held?: { bytes: Uint8Array; revision: number } | undefined;
  /** Told when the deltas that were found do not lead here: the whole index is fetched then. */
  onBrokenDelta?: ((error: MossError) => void) | undefined;
}

export interface FetchedIndex {
  bytes: Uint8Array;
  /** The revision that deltas led on from; `undefined` when the whole was fetched. */
  from: number | undefined;
}

/** One delta, and what it leads to. */
interface Step {
  delta: IndexDelta;
  to: IndexRef;
}

/** Roots that are looked at on the way back to the revision that is here: enough for some 250 revisions. */
const MAX_STEPS = 10;

/**
 * @param root of the revision that is wanted, verified
 * @throws MossError `bad-index` when the frames bring another index than the root says; as `fetchBlocks` does
 */
export async function fetchIndex(root: Root, deps: IndexFetch): Promise<FetchedIndex> {
  const { held, signal } = deps;
  const { index } = root;
  if (held !== undefined) {
    try {
      const steps = await findSteps(root, held, deps);
      if (steps !== undefined) return { bytes: await walk(held.bytes, steps, deps), from: held.revision };
    } catch (error) {
      signal?.throwIfAborted();
      // A source that does not answer now has no whole index either.
      if (!(error instanceof MossError) || error.code === 'source-failed') throw error;
      deps.onBrokenDelta?.(error);
    }
  }
  const whole = index.frames.map((frame) => ({ ...frame, offset: 0, length: 0 }));
  return { bytes: await applyFrames(whole, index, new Uint8Array(), await fetchAll(whole, deps), deps), from: undefined };
}

/** A verified block of a size that is not known exactly. */
export async function fetchBlock(cid: Cid, maxBytes: number, deps: FetchDeps): Promise<Uint8Array> {
  const got = (await fetchAll([{ cid, size: maxBytes }], deps)).get(cid.toString());
  if (got === undefined) throw new MossError('bug', 'a block was fetched and is not there');
  return got;
}

/**
 * The deltas that lead from what is here to the wanted index: one, or several by way of earlier roots, the oldest
 * first. `undefined` where there is no way, or where the whole is no more to fetch.
 */
async function findSteps(root: Root, held: { bytes: Uint8Array; revision: number }, deps: IndexFetch): Promise<Step[] | undefined> {
  const digest = await deps.hasher.sha256(held.bytes);
  const whole = sizeOf(root.index.frames);
  const steps: Step[] = [];
  let cost = 0;
  for (let at = root; steps.length < MAX_STEPS; ) {
    const { index } = at;
    const last = index.deltas.find(({ sha256 }) => sameBytes(sha256, digest));
    const [nearest] = index.deltas.filter(({ revision }) => revision > held.revision).toSorted((a, b) => a.revision - b.revision);
    const delta = last ?? nearest;
    if (delta === undefined) return undefined;
    steps.unshift({ delta, to: index });
    cost += sizeOf(delta.frames);
    if (cost >= whole) return undefined;
    if (delta === last) return steps;
    at = decodeRoot(await fetchBlock(delta.root, MAX_BLOCK_SIZE, deps));
    if (at.revision !== delta.revision || !sameBytes(at.index.sha256, delta.sha256)) {
      throw new MossError('bad-index', `revision ${delta.revision} is not what a later root says of it`);
    }
  }
  return undefined;
}

async function walk(held: Uint8Array, steps: readonly Step[], deps: IndexFetch): Promise<Uint8Array> {
  const blocks = await fetchAll(steps.flatMap(({ delta }) => delta.frames), deps);
  let bytes = held;
  for (const { delta, to } of steps) bytes = await applyFrames(delta.frames, to, bytes, blocks, deps);
  return bytes;
}

/** Puts an index together from its frames. Its size was held against theirs when the root was read. */
async function applyFrames(
  frames: readonly DeltaFrameRef[],
  { size, sha256 }: IndexRef,
  earlier: Uint8Array,
  blocks: ReadonlyMap<string, Uint8Array>,
  { compressor, hasher }: IndexFetch,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const { cid, plain, offset, length } of frames) {
    if (offset + length > earlier.length) throw new MossError('bad-index', 'a delta of the index speaks of more than there was');
    const dictionary = length === 0 ? undefined : earlier.subarray(offset, offset + length);
    bytes.set(await compressor.decompress(blocks.get(cid.toString()) ?? new Uint8Array(), { size: plain, dictionary }), at);
    at += plain;
  }
  if (!sameBytes(await hasher.sha256(bytes), sha256)) {
    throw new MossError('bad-index', 'the index is not what its root says', { hint: 'The repository is broken as it was published: tell its publisher.' });
  }
  return bytes;
}

async function fetchAll(wants: readonly { cid: Cid; size: number }[], { sources, clock, signal, hasher, onBytes }: FetchDeps): Promise<Map<string, Uint8Array>> {
  const blocks = new Map<string, Uint8Array>();
  await fetchBlocks(wants.map(({ cid, size: maxBytes }): Want => ({ cid, maxBytes })), {
    sources,
    clock,
    signal,
    onBytes,
    accept: async ({ cid }, bytes) => {
      await verifyBlock(cid, bytes, hasher);
      blocks.set(cid.toString(), bytes);
    },
  });
  return blocks;
}

function sizeOf(frames: readonly { size: number }[]): number {
  return frames.reduce((sum, { size }) => sum + size, 0);
}
