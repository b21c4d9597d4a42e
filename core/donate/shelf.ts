/** The blocks that a donor is to hold, and those of them that are here. What no list names is neither taken nor given. */
import { verifyBlock } from '../dag/block.ts';
import type { Cid } from '../dag/cid.ts';
import { MossError } from '../error.ts';
import type { Blockstore } from '../ports/blockstore.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { Content, Holdings, Wanted } from '../ports/holdings.ts';

export interface ListedBlock {
  readonly cid: Cid;
  /** Bytes. */
  readonly size: number;
}

/** Bytes of blocks that are kept in memory while they are sent. */
const CACHED = 16 * 1024 * 1024;

export interface ShelfOptions {
  blocks: Blockstore;
  hasher: Hasher;
  /** A block is not here any more as it was: the disk lost it, or something changed it. */
  onLost: (cid: Cid) => void;
}

export class Shelf implements Holdings {
  readonly frames = true;
  readonly files = false;
  repositories: readonly Uint8Array[] = [];
  readonly #options: ShelfOptions;
  #listed: ReadonlyMap<string, ListedBlock> = new Map();
  /** Bytes of each block that is here. */
  readonly #here = new Map<string, number>();
  /** Checked blocks, the one used last at the end. */
  readonly #cache = new Map<string, Promise<Uint8Array>>();
  #stored = 0;

  constructor(options: ShelfOptions) {
    this.#options = options;
  }

  /** Bytes of blocks that are here. */
  get stored(): number {
    return this.#stored;
  }

  has(cid: Cid): boolean {
    return this.#here.has(cid.toString());
  }

  /** Listed blocks that are not here. */
  get missing(): ListedBlock[] {
    return [...this.#listed.values()].filter(({ cid }) => !this.#here.has(cid.toString()));
  }

  /** Only from the list: what is here and not on it is not found, as if it were not here. */
  find(wanted: Wanted): Content | undefined {
    if (wanted.kind !== 'block') return undefined;
    const key = wanted.cid.toString();
    const size = this.#listed.has(key) ? this.#here.get(key) : undefined;
    if (size === undefined) return undefined;
    return { size, compressible: false, read: async (offset, length) => (await this.#checked(wanted.cid, size)).subarray(offset, offset + length) };
  }

  /**
   * What is to be held from now on: everything else is removed, so that there is room before anything comes. What the
   * store has of it counts as here; whether it is right shows when it is read.
   */
  async list(blocks: ReadonlyMap<string, ListedBlock>): Promise<void> {
    this.#listed = blocks;
    const unlisted: Cid[] = [];
    for await (const cid of this.#options.blocks.list()) {
      const size = blocks.get(cid.toString())?.size;
      if (size === undefined) unlisted.push(cid);
      else this.#add(cid.toString(), size);
    }
    for (const cid of unlisted) await this.drop(cid);
  }

  /** A checked block that is here; `undefined` where it is not. */
  async get(cid: Cid): Promise<Uint8Array | undefined> {
    const bytes = await this.#options.blocks.get(cid);
    if (bytes === undefined) return undefined;
    try {
      await verifyBlock(cid, bytes, this.#options.hasher);
      return bytes;
    } catch {
      await this.drop(cid);
      return undefined;
    }
  }

  /**
   * Takes a block in, after checking it.
   *
   * @throws MossError `bad-block` when the bytes have another hash, `bug` for a block that is not listed
   */
  async put(cid: Cid, bytes: Uint8Array): Promise<void> {
    const key = cid.toString();
    await verifyBlock(cid, bytes, this.#options.hasher);
    if (!this.#listed.has(key)) throw new MossError('bug', 'a block that is not listed');
    await this.#options.blocks.put(cid, bytes);
    this.#add(key, bytes.length);
  }

  async drop(cid: Cid): Promise<void> {
    const key = cid.toString();
    this.#stored -= this.#here.get(key) ?? 0;
    this.#here.delete(key);
    this.#cache.delete(key);
    await this.#options.blocks.delete(cid);
  }

  async clear(): Promise<void> {
    this.#listed = new Map();
    for await (const cid of this.#options.blocks.list()) await this.drop(cid);
    this.#here.clear();
    this.#stored = 0;
  }

  #add(key: string, size: number): void {
    this.#stored += size - (this.#here.get(key) ?? 0);
    this.#here.set(key, size);
  }

  #checked(cid: Cid, size: number): Promise<Uint8Array> {
    const key = cid.toString();
    const cached = this.#cache.get(key);
    if (cached !== undefined) {
      this.#cache.delete(key);
      this.#cache.set(key, cached);
      return cached;
    }
    const reading = this.get(cid).then(async (bytes) => {
      if (bytes !== undefined && bytes.length === size) return bytes;
      await this.drop(cid);
      this.#options.onLost(cid);
      throw new MossError('damaged', `${key} is not here any more as it was`);
    });
    reading.catch(() => undefined);
    this.#cache.set(key, reading);
    this.#trim();
    return reading;
  }

  #trim(): void {
    let bytes = 0;
    for (const key of [...this.#cache.keys()].toReversed()) {
      bytes += this.#here.get(key) ?? 0;
      if (bytes > CACHED) this.#cache.delete(key);
    }
  }
}
