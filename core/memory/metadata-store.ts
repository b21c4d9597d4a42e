import type { MetadataStore } from '../ports/metadata.ts';

/** Signed metadata in memory. */
export class MemoryMetadataStore implements MetadataStore {
  readonly #files = new Map<string, Uint8Array>();

  async get(name: string): Promise<Uint8Array | undefined> {
    return this.#files.get(name)?.slice();
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    this.#files.set(name, bytes.slice());
  }

  async delete(name: string): Promise<void> {
    this.#files.delete(name);
  }
}
