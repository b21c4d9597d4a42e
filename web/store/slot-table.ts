import { hasKey, keyOf, readSlot, SLOT_SIZE, writeSlot, type Extent } from './slot.ts';

const NOWHERE = 0;
const REMOVED = -1;
const FIRST_SLOTS = 1024;

/**
 * The index in memory, by key: the slots as they are in the file, and a hash table of their numbers beside them. 100,000
 * blocks take 8 MB, where a `Map` of strings takes three times as much.
 */
export class SlotTable {
  #slots: Uint8Array;
  /** Slots that were ever used: those beyond are new. */
  #end: number;
  readonly #free: number[] = [];
  #count = 0;
  /** The number of a slot and one more, at the place that its digest gives, or after it (linear probing). */
  #places = new Int32Array(FIRST_SLOTS * 2);
  #occupied = 0;

  /** @param slots the index file, which is the table's own from now on; what is damaged in it counts as free */
  constructor(slots: Uint8Array) {
    this.#end = Math.floor(slots.length / SLOT_SIZE);
    this.#slots = slots;
    if (this.#end < FIRST_SLOTS) {
      this.#slots = new Uint8Array(FIRST_SLOTS * SLOT_SIZE);
      this.#slots.set(slots.subarray(0, this.#end * SLOT_SIZE));
    }
    for (let slot = 0; slot < this.#end; slot++) {
      if (this.extent(slot) === undefined) this.#clear(slot);
      else if (this.find(this.key(slot)) === undefined) this.#link(slot);
      // A second one of the same block: which of them was meant cannot be told, and either is checked when read.
      else this.#clear(slot);
    }
  }

  get count(): number {
    return this.#count;
  }

  /** The number of the slot that has the key. */
  find(key: Uint8Array): number | undefined {
    const slot = this.#places[this.#place(key)] ?? NOWHERE;
    return slot > NOWHERE ? slot - 1 : undefined;
  }

  extent(slot: number): Extent | undefined {
    return readSlot(this.#slots, slot * SLOT_SIZE);
  }

  key(slot: number): Uint8Array {
    return keyOf(this.#slots, slot * SLOT_SIZE);
  }

  /** The bytes to be written at `slot * SLOT_SIZE`. */
  bytes(slot: number): Uint8Array {
    return this.#slots.subarray(slot * SLOT_SIZE, (slot + 1) * SLOT_SIZE);
  }

  /** A key that is not here yet. */
  add(key: Uint8Array, extent: Extent): number {
    const slot = this.#free.pop() ?? this.#end++;
    if (this.#end * SLOT_SIZE > this.#slots.length) this.#grow();
    writeSlot(this.#slots, slot * SLOT_SIZE, key, extent);
    this.#link(slot);
    return slot;
  }

  move(slot: number, extent: Extent): void {
    writeSlot(this.#slots, slot * SLOT_SIZE, this.key(slot), extent);
  }

  remove(slot: number): void {
    this.#places[this.#place(this.key(slot))] = REMOVED;
    this.#count--;
    this.#clear(slot);
  }

  /** The numbers of all slots in use. */
  *used(): Generator<number> {
    for (let slot = 0; slot < this.#end; slot++) if (this.#slots[slot * SLOT_SIZE] !== 0) yield slot;
  }

  #clear(slot: number): void {
    this.bytes(slot).fill(0);
    this.#free.push(slot);
  }

  #link(slot: number): void {
    if ((this.#occupied + 1) * 2 > this.#places.length) this.#rehash();
    const place = this.#place(this.key(slot));
    if (this.#places[place] === NOWHERE) this.#occupied++;
    this.#places[place] = slot + 1;
    this.#count++;
  }

  /** Where the key is; where it is not, the first place that it could have. */
  #place(key: Uint8Array): number {
    const mask = this.#places.length - 1;
    let reusable: number | undefined;
    // The digest is random already: four bytes of it are the hash.
    for (let place = digestWord(key) & mask; ; place = (place + 1) & mask) {
      const slot = this.#places[place] ?? NOWHERE;
      if (slot === NOWHERE) return reusable ?? place;
      if (slot === REMOVED) reusable ??= place;
      else if (hasKey(this.#slots, (slot - 1) * SLOT_SIZE, key)) return place;
    }
  }

  #rehash(): void {
    const linked = this.#places.filter((slot) => slot > NOWHERE);
    let size = FIRST_SLOTS * 2;
    while (size < linked.length * 4) size *= 2;
    this.#places = new Int32Array(size);
    this.#occupied = linked.length;
    for (const slot of linked) this.#places[this.#place(this.key(slot - 1))] = slot;
  }

  #grow(): void {
    const larger = new Uint8Array(this.#slots.length * 2);
    larger.set(this.#slots);
    this.#slots = larger;
  }
}

function digestWord(key: Uint8Array): number {
  return (key[1] ?? 0) | ((key[2] ?? 0) << 8) | ((key[3] ?? 0) << 16) | ((key[4] ?? 0) << 24);
}
