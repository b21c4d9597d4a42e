/** Deltas of the index: which earlier revisions a new one knows the way from, and which runs of lines belong together. */
import { MAX_BASE } from '../dag/table.ts';
import { IndexLines } from './index-lines.ts';

/** A run of an index, and the run of an earlier one that has the same names. In bytes. */
export interface IndexRun {
  start: number;
  end: number;
  /** Of the earlier index: at most `MAX_BASE` bytes. */
  offset: number;
  length: number;
}

/**
 * Cuts an index into runs of whole lines, each beside the lines of an earlier index between the same names: what a run
 * is compressed against is as large as itself, however large the index is.
 *
 * @param runBytes the most bytes of a run; a longer line is a run of its own
 * @throws MossError `bad-index`
 */
export function alignRuns(index: Uint8Array, earlier: Uint8Array, runBytes: number): IndexRun[] {
  const lines = new IndexLines('', index);
  const before = new IndexLines('', earlier);
  const runs: IndexRun[] = [];
  for (let first = 0; first < lines.count; ) {
    let next = first + 1;
    while (next < lines.count && lines.start(next + 1) - lines.start(first) <= runBytes) next++;
    const offset = first === 0 ? 0 : before.start(before.lowerBound(lines.name(first)));
    const end = next === lines.count ? earlier.length : before.start(before.lowerBound(lines.name(next)));
    runs.push({ start: lines.start(first), end: lines.start(next), offset, length: Math.min(MAX_BASE, end - offset) });
    first = next;
  }
  return runs;
}

/** How far back deltas reach in one step: 2 to this power, in revisions. */
const REACH = 8;

/**
 * Which earlier revisions a new one gets deltas from: the last one, and the last multiples of 2, 4, 8, ... before it.
 * So whoever is `n` revisions behind gets here in about log₂(n) steps, from root to root; and what one revision needs
 * of the past, the one before it needed too, or is.
 *
 * @param earlier the revision before, and those that it has deltas from
 */
export function deltaBases<T extends { revision: number }>(revision: number, earlier: readonly T[]): T[] {
  const wanted = new Set(Array.from({ length: REACH + 1 }, (_, power) => Math.floor((revision - 1) / 2 ** power) * 2 ** power));
  return earlier.filter((each) => wanted.has(each.revision)).toSorted((a, b) => b.revision - a.revision);
}
