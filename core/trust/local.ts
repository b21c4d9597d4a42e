import { MossError } from '../error.ts';
import type { MetadataStore } from '../ports/metadata.ts';
import type { TrustEvent } from './trusted.ts';
import { type LastSeen, decodeLastSeen, encodeLastSeen } from './last-seen.ts';

/** Names in a MetadataStore: `root.json`, `timestamp.json`, ..., one for each role, as TUF section 5 asks. */
export function fileOf(role: string): string {
  return `${encodeURIComponent(role)}.json`;
}

/** The root that a person accepted at first: what trust falls back on when `root.json` is damaged. */
export const ANCHOR = 'anchor';
const LAST_SEEN = 'last-seen';

type Tell = (event: TrustEvent) => void;

/**
 * Reads a file of the store and checks it. A store is a disk, and disks lose bytes: whatever is wrong with the file
 * is told, and then it counts as absent.
 */
export async function readLocal<T>(
  store: MetadataStore,
  file: string,
  tell: Tell,
  check: (bytes: Uint8Array) => T | Promise<T>,
): Promise<T | undefined> {
  const bytes = await store.get(file);
  if (bytes === undefined) return undefined;
  try {
    return await check(bytes);
  } catch (error) {
    if (!(error instanceof MossError)) throw error;
    tell({ type: 'local-damaged', file, reason: error.message });
    return undefined;
  }
}

export function readLastSeen(store: MetadataStore, tell: Tell): Promise<LastSeen | undefined> {
  return readLocal(store, LAST_SEEN, tell, decodeLastSeen);
}

export function writeLastSeen(store: MetadataStore, seen: LastSeen): Promise<void> {
  return store.put(LAST_SEEN, encodeLastSeen(seen));
}

export function forgetLastSeen(store: MetadataStore): Promise<void> {
  return store.delete(LAST_SEEN);
}
