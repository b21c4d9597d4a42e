import { parseCid, type Cid } from '../dag/cid.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Blockstore } from '../ports/blockstore.ts';

/** Blocks in memory. Bytes are copied on their way in and out, as a disk would. */
export class MemoryBlockstore implements Blockstore {
  readonly #blocks = new Map<string, Uint8Array>();

  async has(cid: Cid, { signal }: AbortOptions = {}): Promise<boolean> {
    signal?.throwIfAborted();
    return this.#blocks.has(cid.toString());
  }

  async get(cid: Cid, { signal }: AbortOptions = {}): Promise<Uint8Array | undefined> {
    signal?.throwIfAborted();
    return this.#blocks.get(cid.toString())?.slice();
  }

  async put(cid: Cid, bytes: Uint8Array, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    const key = cid.toString();
    if (!this.#blocks.has(key)) this.#blocks.set(key, bytes.slice());
  }

  async delete(cid: Cid, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    this.#blocks.delete(cid.toString());
  }

  async *list({ signal }: AbortOptions = {}): AsyncGenerator<Cid> {
    // A snapshot: blocks may be deleted while the list runs.
    for (const key of Array.from(this.#blocks.keys())) {
      signal?.throwIfAborted();
      yield parseCid(key);
    }
  }

  async sync(): Promise<void> {
    // Memory does not outlive anything that `sync` promises to outlive.
  }
}
