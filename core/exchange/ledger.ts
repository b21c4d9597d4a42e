/** Where bytes came from, as a value: added up as they come. */
import type { SourceKind } from '../ports/source.ts';

export interface LedgerEntry {
  readonly source: string;
  readonly kind: SourceKind;
  readonly bytes: number;
}

/** One entry for each source, in the order in which they were first heard of. */
export type Ledger = readonly LedgerEntry[];

/** Bytes by kind of source; `delta` are those that deltas saved, and `here` those of files that were here already. */
export type LedgerSums = Record<SourceKind | 'delta' | 'here', number>;

export const EMPTY_LEDGER: Ledger = [];

/**
 * The ledger with bytes of a source added.
 *
 * @example
 * const ledger = received(received(EMPTY_LEDGER, 'a', 'lan', 5), 'a', 'lan', 6);
 * assert.deepEqual(ledger, [{ source: 'a', kind: 'lan', bytes: 11 }]);
 */
export function received(ledger: Ledger, source: string, kind: SourceKind, bytes: number): Ledger {
  const at = ledger.findIndex((entry) => entry.source === source && entry.kind === kind);
  const before = ledger[at];
  return before === undefined ? [...ledger, { source, kind, bytes }] : ledger.with(at, { ...before, bytes: before.bytes + bytes });
}

/** @param saved bytes that need not come at all, and why */
export function sumsOf(ledger: Ledger, saved: { delta: number; here: number } = { delta: 0, here: 0 }): LedgerSums {
  const sums: LedgerSums = { webseed: 0, lan: 0, swarm: 0, donor: 0, ...saved };
  for (const { kind, bytes } of ledger) sums[kind] += bytes;
  return sums;
}

/** The entries, most bytes first. */
export function mostFirst(ledger: Ledger): LedgerEntry[] {
  return ledger.toSorted((a, b) => b.bytes - a.bytes);
}
