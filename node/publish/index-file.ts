/** The index of a new revision: whole, and as deltas from earlier revisions. */
import { availableParallelism } from 'node:os';
import { rawBlock } from '../../core/dag/block.ts';
import type { Cid } from '../../core/dag/cid.ts';
import type { FrameRef } from '../../core/dag/manifest.ts';
import type { DeltaFrameRef, IndexDelta, IndexRef, Root } from '../../core/dag/root.ts';
import { MossError } from '../../core/error.ts';
import { alignRuns, deltaBases } from '../../core/repo/index-delta.ts';
import { nodeHasher } from '../hasher.ts';
import { compressInBackground } from '../zstd.ts';
import type { Repository } from './site.ts';

/** Bytes of the index in one frame: packed, that is less than a block. */
const INDEX_FRAME = 4 * 1024 * 1024;
const LEVEL = 19;
/** Of deltas: beyond it they take ten times as long, and become a tenth smaller (measured on Debian's index). */
const DELTA_LEVEL = 12;

/** Where earlier revisions are read, and blocks written. */
export type IndexSite = Pick<Repository, 'root' | 'file' | 'blocks'>;

/**
 * Writes the frames of an index.
 *
 * @param current the revision before, if there is one
 */
export async function writeIndex(repository: IndexSite, bytes: Uint8Array, current: { cid: Cid; root: Root } | undefined): Promise<IndexRef> {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += INDEX_FRAME) pieces.push(bytes.subarray(at, at + INDEX_FRAME));
  const frames = await inParallel(pieces, (plain) => writeFrame(repository, plain, LEVEL));
  const deltas: IndexDelta[] = [];
  if (current !== undefined) {
    const earlier = [{ root: current.cid, revision: current.root.revision }, ...current.root.index.deltas];
    // All of them together take no more than the whole, and each is worth it: what is left out is fetched whole.
    let room = sizeOf(frames);
    const most = room / 2;
    for (const { root, revision } of deltaBases(current.root.revision + 1, earlier)) {
      const delta = await writeDelta(repository, bytes, { root, revision });
      const size = delta && sizeOf(delta.frames);
      if (delta === undefined || size === undefined || size > Math.min(most, room)) continue;
      room -= size;
      deltas.push(delta);
    }
  }
  return { sha256: nodeHasher.sha256(bytes), size: bytes.length, frames, deltas };
}

/** The frames that lead from an earlier revision to this index; none when its blocks are no longer in the site. */
async function writeDelta(repository: IndexSite, bytes: Uint8Array, base: { root: Cid; revision: number }): Promise<IndexDelta | undefined> {
  let earlier: Uint8Array;
  let sha256: Uint8Array;
  try {
    const { index } = await repository.root(base.root);
    earlier = await repository.file(index);
    sha256 = index.sha256;
  } catch (error) {
    if (error instanceof MossError) return undefined;
    throw error;
  }
  const frames = await inParallel(alignRuns(bytes, earlier, INDEX_FRAME), async ({ start, end, offset, length }): Promise<DeltaFrameRef> => {
    const dictionary = length === 0 ? undefined : earlier.subarray(offset, offset + length);
    return { ...(await writeFrame(repository, bytes.subarray(start, end), DELTA_LEVEL, dictionary)), offset, length };
  });
  return { ...base, sha256, frames };
}

async function writeFrame(repository: Pick<IndexSite, 'blocks'>, plain: Uint8Array, level: number, dictionary?: Uint8Array): Promise<FrameRef> {
  const { cid, bytes } = await rawBlock(await compressInBackground(plain, { level, dictionary }), nodeHasher);
  await repository.blocks.put(cid, bytes);
  return { cid, size: bytes.length, plain: plain.length };
}

/** Keeps the cores busy, and no more in memory than they work on. */
async function inParallel<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const cores = availableParallelism();
  for (let at = 0; at < items.length; at += cores) results.push(...(await Promise.all(items.slice(at, at + cores).map(work))));
  return results;
}

function sizeOf(frames: readonly FrameRef[]): number {
  return frames.reduce((sum, { size }) => sum + size, 0);
}
