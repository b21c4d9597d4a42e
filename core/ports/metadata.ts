import type { AbortOptions } from './abort.ts';

/**
 * Where a reader keeps the signed metadata that it trusts, one place for each repository. A name is a file name:
 * it holds no separator. A `put` is atomic, and it has resolved when it would survive a power cut.
 *
 * What comes out is checked again, so a damaged store costs a download and never trust.
 */
export interface MetadataStore {
  /** The bytes, or `undefined` when there are none by this name. */
  get(name: string): Promise<Uint8Array | undefined>;
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Does nothing when there is nothing by this name. */
  delete(name: string): Promise<void>;
}

/** Brings signed metadata from anywhere: a webseed, a peer, a directory. It is not trusted: signatures decide. */
export interface MetadataFetcher {
  /**
   * The file, or `undefined` when the source does not have it.
   *
   * @param fileName one URL path segment that is escaped already, such as `7.snapshot.json`
   * @param maxBytes reading stops beyond this many bytes
   * @throws MossError `metadata-endless` when there is more; `source-failed` when it may work later
   */
  fetch(fileName: string, maxBytes: number, options?: AbortOptions): Promise<Uint8Array | undefined>;
}
