/**
 * Blocks in one file, and where they are in another: files of their own would cost an open and a close each.
 *
 * Nothing here is trusted once it was written: a power cut may keep a slot and lose its block, or bring back one that
 * was deleted. So whoever reads a block checks its hash (`pack-store.ts`), and blocks that lie over one another when a
 * pack is opened are forgotten, both.
 */
import { MossError } from '../../core/error.ts';
import { FreeSpace } from './free-space.ts';
import { KEY_SIZE, SLOT_SIZE, type Extent } from './slot.ts';
import { SlotTable } from './slot-table.ts';

/** The part of a `FileSystemSyncAccessHandle` that is used. */
export interface SyncFile {
  getSize(): number;
  read(into: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  write(bytes: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** Bytes of holes that are put up with, and more than a quarter of the file. */
const TOLERATED = 4 * 1024 * 1024;
/** Bytes that are moved at once to close holes. */
const MOVED = 64 * 1024 * 1024;

export class Pack {
  readonly #data: SyncFile;
  readonly #index: SyncFile;
  readonly #table: SlotTable;
  readonly #space: FreeSpace;

  constructor(data: SyncFile, index: SyncFile) {
    this.#data = data;
    this.#index = index;
    const slots = new Uint8Array(index.getSize());
    const got = index.read(slots, { at: 0 });
    this.#table = new SlotTable(slots.subarray(0, got));
    this.#space = new FreeSpace(this.#soundExtents(data.getSize()));
  }

  get count(): number {
    return this.#table.count;
  }

  has(key: Uint8Array): boolean {
    return this.#table.find(key) !== undefined;
  }

  /** The bytes as they are in the file: unchecked, and fewer than there should be when the file was cut. */
  read(key: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    const extent = this.#extent(key);
    if (extent === undefined) return undefined;
    const bytes = new Uint8Array(extent.length);
    const got = extent.length === 0 ? 0 : this.#data.read(bytes, { at: extent.offset });
    return got === extent.length ? bytes : bytes.subarray(0, got);
  }

  /**
   * The block first, its slot after: a crash in between leaves nothing that is found.
   *
   * @throws MossError `disk-full`
   */
  write(key: Uint8Array, bytes: Uint8Array<ArrayBuffer>): void {
    if (this.has(key)) return;
    const extent = this.#space.allocate(bytes.length);
    try {
      writeAll(this.#data, bytes, extent.offset);
    } catch (error) {
      this.#space.release(extent);
      throw error;
    }
    const slot = this.#table.add(key, extent);
    try {
      this.#writeSlot(slot);
    } catch (error) {
      this.#table.remove(slot);
      this.#space.release(extent);
      throw error;
    }
  }

  remove(key: Uint8Array): void {
    const slot = this.#table.find(key);
    const extent = this.#extent(key);
    if (slot === undefined || extent === undefined) return;
    this.#table.remove(slot);
    this.#writeSlot(slot);
    this.#space.release(extent);
    if (this.#data.getSize() - this.#space.end >= TOLERATED) this.#data.truncate(this.#space.end);
  }

  /** Keys of all blocks, one after the other. */
  keys(): Uint8Array<ArrayBuffer> {
    const keys = new Uint8Array(this.count * KEY_SIZE);
    let at = 0;
    for (const slot of this.#table.used()) {
      keys.set(this.#table.key(slot), at);
      at += KEY_SIZE;
    }
    return keys;
  }

  /** What was written before survives a power cut. Blocks first, so that no slot is without its block. */
  sync(): void {
    this.#closeHoles();
    this.#data.flush();
    this.#index.flush();
  }

  close(): void {
    this.#data.close();
    this.#index.close();
  }

  #extent(key: Uint8Array): Extent | undefined {
    const slot = this.#table.find(key);
    return slot === undefined ? undefined : this.#table.extent(slot);
  }

  #writeSlot(slot: number): void {
    writeAll(this.#index, this.#table.bytes(slot).slice(), slot * SLOT_SIZE);
  }

  /** In order. Slots of blocks that cannot be there are freed. */
  *#soundExtents(size: number): Generator<Extent> {
    const slots = this.#inOrder();
    const bad = new Set<number>();
    let [end, last] = [0, -1];
    for (const slot of slots) {
      const { offset, length } = this.#extentOf(slot);
      if (offset + length > size) bad.add(slot);
      else if (length > 0 && offset < end) bad.add(slot).add(last);
      if (offset + length > end && !(offset + length > size)) [end, last] = [offset + length, slot];
    }
    for (const slot of bad) {
      this.#table.remove(slot);
      this.#writeSlot(slot);
    }
    for (const slot of slots) if (!bad.has(slot)) yield this.#extentOf(slot);
  }

  /** Slots by where their blocks begin: numbers alone, since objects for all of them would stay until they are collected. */
  #inOrder(): Uint32Array {
    const slots = Uint32Array.from(this.#table.used());
    const offsets = new Float64Array((slots.at(-1) ?? 0) + 1);
    for (const slot of slots) offsets[slot] = this.#extentOf(slot).offset;
    return slots.toSorted((a, b) => (offsets[a] ?? 0) - (offsets[b] ?? 0));
  }

  #extentOf(slot: number): Extent {
    return this.#table.extent(slot) ?? { offset: 0, length: 0 };
  }

  /** Moves blocks from the end into holes, so that a lower quota gives the disk back. */
  #closeHoles(): void {
    const { free, end } = this.#space;
    if (free >= TOLERATED && free * 4 > end) this.#moveBlocks();
    if (this.#data.getSize() > this.#space.end) this.#data.truncate(this.#space.end);
  }

  #moveBlocks(): void {
    const left: Extent[] = [];
    const moved: { slot: number; to: Extent }[] = [];
    let bytes = 0;
    for (const slot of this.#inOrder().toReversed()) {
      const { offset, length } = this.#extentOf(slot);
      if (length === 0 || bytes >= MOVED) break;
      const to = this.#space.allocateBelow(length, offset);
      if (to === undefined) break;
      const block = new Uint8Array(length);
      this.#data.read(block, { at: offset });
      writeAll(this.#data, block, to.offset);
      left.push({ offset, length });
      moved.push({ slot, to });
      bytes += length;
    }
    // Each step is durable before the next, so that a power cut leaves every block at one of its two places.
    this.#data.flush();
    for (const { slot, to } of moved) {
      this.#table.move(slot, to);
      this.#writeSlot(slot);
    }
    this.#index.flush();
    for (const extent of left) this.#space.release(extent);
  }
}

function writeAll(file: SyncFile, bytes: Uint8Array<ArrayBuffer>, at: number): void {
  let wrote: number;
  try {
    wrote = bytes.length === 0 ? 0 : file.write(bytes, { at });
  } catch (cause) {
    throw isFull(cause) ? diskFull(cause) : new MossError('io', 'the storage of the browser cannot be written', { cause });
  }
  if (wrote !== bytes.length) throw diskFull();
}

function isFull(error: unknown): boolean {
  return error instanceof Error && error.name === 'QuotaExceededError';
}

export function diskFull(cause?: unknown): MossError {
  return new MossError('disk-full', 'the browser gives this site no more storage', { hint: 'Lower the storage that may be used, or make room on the disk.', cause });
}
