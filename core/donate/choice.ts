/** What a donor is to hold, in order: the port that the privacy plan of a repository fills, and what stands in until then. */
import type { IndexEntry } from '../repo/index-entry.ts';
import { parseDependency } from '../repo/dependency.ts';
import type { Hasher } from '../ports/hasher.ts';

export interface ChoiceContext {
  /** Bytes that may be held. */
  readonly quota: number;
  /** 32 random bytes of this donor's own, the same each time. */
  readonly seed: Uint8Array;
  readonly hasher: Hasher;
  /** How often each package is installed, by name, where the repository says so. */
  readonly popularity?: ReadonlyMap<string, number> | undefined;
}

/** Packages, the one to hold first first. The donor takes them as long as they fit. */
export type HoldingChoice = (entries: readonly IndexEntry[], context: ChoiceContext) => Promise<IndexEntry[]>;

/**
 * Half of the quota for what most need, the same on every donor; half by a rank that is each donor's own, so that many
 * donors hold everything together. Without figures of popularity, what most need is what most packages depend on.
 * Newest versions only, and nothing that must not be announced.
 */
export const chooseByPopularity: HoldingChoice = async (entries, { quota, seed, hasher, popularity }) => {
  const newest = newestOf(entries.filter(({ announce }) => announce));
  const ranks = new Map<IndexEntry, string>();
  for (const entry of newest) ranks.set(entry, hexOf(await hasher.sha256(joined(seed, entry.manifest))));
  const own = newest.toSorted((a, b) => compareText(ranks.get(a) ?? '', ranks.get(b) ?? ''));
  const weights = popularity ?? dependents(newest);
  const weight = ({ name }: IndexEntry): number => weights.get(name) ?? 0;
  const popular = own.toSorted((a, b) => weight(b) - weight(a));
  const first: IndexEntry[] = [];
  let bytes = 0;
  for (const entry of popular) {
    bytes += entry.download;
    if (bytes > quota / 2 || weight(entry) === 0) break;
    first.push(entry);
  }
  return [...new Set([...first, ...own])];
};

/** Entries come newest first, of each name and architecture. */
function newestOf(entries: readonly IndexEntry[]): IndexEntry[] {
  const seen = new Set<string>();
  return entries.filter(({ name, architecture }) => {
    const key = `${name} ${architecture}`;
    return !seen.has(key) && seen.add(key).size > 0;
  });
}

/** How many packages depend on each name, in the first of their alternatives. */
function dependents(entries: readonly IndexEntry[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { depends } of entries) {
    for (const text of depends) {
      const name = parseDependency(text)[0]?.name;
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}

function joined(seed: Uint8Array, text: string): Uint8Array {
  const bytes = new Uint8Array(seed.length + text.length);
  bytes.set(seed);
  for (let i = 0; i < text.length; i++) bytes[seed.length + i] = text.charCodeAt(i);
  return bytes;
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
