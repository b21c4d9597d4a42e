import type { Cid } from '../../core/dag/cid.ts';

/** Bytes that are kept at most: the manifests and tables of some 3,000 packages. What is beyond comes from the disk. */
export const MOST_FETCHED = 32 * 1024 * 1024;

/** Blocks that were fetched just now, until they are read: so they need not come from the disk, and be hashed, once more. */
export class FetchedBlocks {
  readonly #blocks = new Map<string, Uint8Array>();
  #room = MOST_FETCHED;

  /** @param bytes verified */
  put(cid: Cid, bytes: Uint8Array): void {
    const key = cid.toString();
    if (this.#blocks.has(key) || bytes.length > this.#room) return;
    this.#blocks.set(key, bytes);
    this.#room -= bytes.length;
  }

  /** Gives a block away, if it is here. */
  take(cid: Cid): Uint8Array | undefined {
    const key = cid.toString();
    const bytes = this.#blocks.get(key);
    if (this.#blocks.delete(key)) this.#room += bytes?.length ?? 0;
    return bytes;
  }
}
