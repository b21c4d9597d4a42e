/** Finds large files of a package that are much alike, such as the programs of one suite. */
import { LEAF_SIZE } from '../../core/dag/file-id.ts';
import { MAX_BASE, type Base } from '../../core/dag/table.ts';
import { isTrainedDictionary } from '../../core/dag/trained-dictionary.ts';
import type { FileEntry } from '../../core/dag/entry.ts';
import { nodeCompressor } from '../zstd.ts';

/** Bytes: smaller files share a frame with their neighbours anyway. */
const LEAST = 192 * 1024;
/** Files that others are held against, at most: each costs a trial. */
const MAX_ROOTS = 6;
/** Bytes of a file that a trial looks at, from its middle. */
const SAMPLE = 512 * 1024;
/** The lowest level whose tables are large enough to find anything in a base of megabytes. */
const TRIAL_LEVEL = 9;
/** A base pays when the sample shrinks to this share of what it is without. */
const WORTH = 0.75;
/** Content beyond the same place on either side: code moves a little between programs. */
const MARGIN = 2 * 1024 * 1024;

/**
 * For files that are worth it, the file to compress them against. A base has no base itself.
 *
 * @param read bytes of a file
 * @returns indexes into `files`, by index into `files`
 */
export function findBases(files: readonly FileEntry[], read: (file: number, offset: number, length: number) => Uint8Array): Map<number, number> {
  const bases = new Map<number, number>();
  const large = files.flatMap((file, i) => (file.size >= LEAST && file.recipe === undefined ? [i] : []));
  const sizeOf = (i: number): number => files[i]?.size ?? 0;
  const roots: number[] = [];
  for (const i of large.toSorted((a, b) => sizeOf(b) - sizeOf(a) || a - b)) {
    const length = Math.min(SAMPLE, sizeOf(i));
    const offset = Math.floor((sizeOf(i) - length) / 2);
    const sample = read(i, offset, length);
    const alone = trial(sample, undefined);
    let best: { root: number; size: number } | undefined;
    for (const root of roots) {
      const run = baseRun(sizeOf(root), sizeOf(i), offset, length);
      const size = trial(sample, read(root, run.offset, run.length));
      if (size < alone * WORTH && (best === undefined || size < best.size)) best = { root, size };
    }
    if (best !== undefined) bases.set(i, best.root);
    else if (roots.length < MAX_ROOTS && !isTrainedDictionary(read(i, 0, 4))) roots.push(i);
  }
  return bases;
}

/** The part of a base that lies about where a run of a file does. */
export function baseRun(baseSize: number, size: number, offset: number, length: number): { offset: number; length: number } {
  if (baseSize <= MAX_BASE) return { offset: 0, length: baseSize };
  const middle = Math.floor(((offset + length / 2) / size) * baseSize);
  const want = Math.min(MAX_BASE, length + 2 * MARGIN);
  const start = Math.max(0, Math.min(baseSize - want, middle - Math.floor(want / 2)));
  return { offset: start - (start % LEAF_SIZE), length: want };
}

/** The base of one frame of a file. */
export function baseOf(base: FileEntry, file: FileEntry, offset: number, length: number): Base {
  return { id: base.id, size: base.size, ...baseRun(base.size, file.size, offset, length) };
}

function trial(sample: Uint8Array, dictionary: Uint8Array | undefined): number {
  return nodeCompressor.compress(sample, { level: TRIAL_LEVEL, dictionary }).length;
}
