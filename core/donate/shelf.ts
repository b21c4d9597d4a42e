/** The blocks that a donor is to hold, and those of them that are here. What no list names is neither taken nor given. */
import { verifyBlock } from '../dag/block.ts';
import type { Cid } from '../dag/cid.ts';
import { MossError } from '../error.ts';
import type { Blockstore } from '../ports/blockstore.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { Content, Holdings, Wanted } from '../ports/holdings.ts';
import { BlockList, type ListedBlock } from './block-list.ts';

/** Bytes of blocks that are kept in memory while they are sent: those of all turns at the same time, and as many again. */
const CACHED = 8 * 1024 * 1024;

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
  #list = new BlockList();
  /** A one for each listed block that is here. */
  #here = new Uint8Array(0);
  /** Bytes that are here, of each package that owns listed blocks. */
  #held: number[] = [];
  #stored = 0;
  #changes = 0;
  /** Checked blocks by number, the one used last at the end. */
  readonly #cache = new Map<number, Promise<Uint8Array>>();
  #cached = 0;

  constructor(options: ShelfOptions) {
    this.#options = options;
  }

  /** Bytes of blocks that are here. */
  get stored(): number {
    return this.#stored;
  }

  /** Bytes that are here of a package, by its number. */
  heldOf(owner: number): number {
    return this.#held[owner] ?? 0;
  }

  /** Another number after every change of what is here. */
  get changes(): number {
    return this.#changes;
  }

  /** Some listed blocks that are not here, from a number on; none is left when there are none. */
  missing(from: number, most: number): { blocks: ListedBlock[]; next: number } {
    const blocks: ListedBlock[] = [];
    let next = from;
    for (; next < this.#list.count && blocks.length < most; next++) {
      if (this.#here[next] === 0) blocks.push({ cid: this.#list.cid(next), size: this.#list.size(next) });
    }
    return { blocks, next };
  }

  /** Only from the list: what is here and not on it is not found, as if it were not here. */
  find(wanted: Wanted): Content | undefined {
    if (wanted.kind !== 'block') return undefined;
    const { cid } = wanted;
    const block = this.#list.find(cid);
    if (block === undefined || this.#here[block] === 0) return undefined;
    const size = this.#list.size(block);
    // A block that is read at once need not be kept for its next piece.
    return { size, compressible: false, read: async (offset, length) => (length === size ? this.#read(cid, size) : (await this.#checked(cid, size)).subarray(offset, offset + length)) };
  }

  /**
   * What is to be held from now on: everything else is removed, so that there is room before anything comes. What the
   * store has of it counts as here; whether it is right shows when it is read.
   */
  async list(blocks: BlockList): Promise<void> {
    if (blocks === this.#list) return;
    this.#begin(blocks);
    const unlisted: Cid[] = [];
    for await (const cid of this.#options.blocks.list()) {
      const block = blocks.find(cid);
      if (block === undefined) unlisted.push(cid);
      else this.#mark(block, true);
    }
    for (const cid of unlisted) await this.#options.blocks.delete(cid);
  }

  /** A checked block that is here; `undefined` where it is not. */
  async get(cid: Cid): Promise<Uint8Array | undefined> {
    const bytes = await this.#options.blocks.get(cid);
    if (bytes === undefined || this.#options.blocks.isChecked === true) return bytes;
    try {
      await verifyBlock(cid, bytes, this.#options.hasher);
      return bytes;
    } catch {
      await this.#drop(cid);
      return undefined;
    }
  }

  /**
   * Takes a block in, after checking it.
   *
   * @throws MossError `bad-block` when the bytes have another hash, `bug` for a block that is not listed
   */
  async put(cid: Cid, bytes: Uint8Array): Promise<void> {
    await verifyBlock(cid, bytes, this.#options.hasher);
    if (this.#list.find(cid) === undefined) throw new MossError('bug', 'a block that is not listed');
    await this.#options.blocks.put(cid, bytes);
    // The list may be another one by now.
    const block = this.#list.find(cid);
    if (block !== undefined) this.#mark(block, true);
  }

  async clear(): Promise<void> {
    this.#begin(new BlockList());
    for await (const cid of this.#options.blocks.list()) await this.#options.blocks.delete(cid);
  }

  /** What was here and is on the new list stays. */
  #begin(list: BlockList): void {
    const [before, here] = [this.#list, this.#here];
    this.#list = list;
    this.#here = new Uint8Array(list.count);
    this.#held = [];
    this.#stored = 0;
    this.#changes++;
    this.#cache.clear();
    this.#cached = 0;
    for (let each = 0; each < before.count; each++) {
      const block = here[each] === 1 ? list.find(before.cid(each)) : undefined;
      if (block !== undefined) this.#mark(block, true);
    }
  }

  async #drop(cid: Cid): Promise<void> {
    const block = this.#list.find(cid);
    if (block !== undefined) {
      this.#mark(block, false);
      this.#forget(block);
    }
    await this.#options.blocks.delete(cid);
  }

  #mark(block: number, isHere: boolean): void {
    if ((this.#here[block] === 1) === isHere) return;
    this.#here[block] = isHere ? 1 : 0;
    const bytes = (isHere ? 1 : -1) * this.#list.size(block);
    this.#stored += bytes;
    this.#changes++;
    for (const owner of this.#list.owners(block)) this.#held[owner] = this.heldOf(owner) + bytes;
  }

  async #read(cid: Cid, size: number): Promise<Uint8Array> {
    const bytes = await this.get(cid);
    if (bytes !== undefined && bytes.length === size) return bytes;
    await this.#drop(cid);
    this.#options.onLost(cid);
    throw new MossError('damaged', `${cid.toString()} is not here any more as it was`);
  }

  #checked(cid: Cid, size: number): Promise<Uint8Array> {
    const block = this.#list.find(cid);
    const known = block === undefined ? undefined : this.#cache.get(block);
    const reading = known ?? this.#read(cid, size);
    if (block === undefined) return reading;
    this.#cache.delete(block);
    this.#cache.set(block, reading);
    if (known === undefined) {
      reading.catch(() => undefined);
      this.#cached += size;
      for (const oldest of this.#cache.keys()) {
        if (this.#cached <= CACHED) break;
        this.#forget(oldest);
      }
    }
    return reading;
  }

  #forget(block: number): void {
    if (this.#cache.delete(block)) this.#cached -= this.#list.size(block);
  }
}
