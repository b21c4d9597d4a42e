import { clear, createStore, del, get, set, type UseStore } from 'idb-keyval';
import type { MetadataStore } from '../../core/ports/metadata.ts';

/** Small records in IndexedDB, by name. */
export class BrowserRecords implements MetadataStore {
  readonly #name: string;
  #store: UseStore | undefined;

  /** @param name of the database, which is opened when it is first needed */
  constructor(name: string) {
    this.#name = name;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const value: unknown = await get(name, this.#opened);
    return value instanceof Uint8Array ? value : undefined;
  }

  put(name: string, bytes: Uint8Array): Promise<void> {
    return set(name, bytes, this.#opened);
  }

  delete(name: string): Promise<void> {
    return del(name, this.#opened);
  }

  /** Removes all of them. */
  clear(): Promise<void> {
    return clear(this.#opened);
  }

  get #opened(): UseStore {
    this.#store ??= createStore(this.#name, 'records');
    return this.#store;
  }
}
