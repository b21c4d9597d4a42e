import type { Extent } from './slot.ts';

/** Which runs of the pack file are free, in order; what lies beyond `end` is not in use at all. */
export class FreeSpace {
  readonly #holes: Extent[] = [];
  #end = 0;
  #free = 0;
  /** No hole is longer than this. */
  #longest = 0;

  /** Bytes from the beginning of the file to the end of the last block. */
  get end(): number {
    return this.#end;
  }

  /** Bytes of all holes before the end. */
  get free(): number {
    return this.#free;
  }

  /** @param used in order, and none over another */
  constructor(used: Iterable<Extent>) {
    for (const { offset, length } of used) {
      if (offset > this.#end) this.#insert(this.#holes.length, { offset: this.#end, length: offset - this.#end });
      this.#end = Math.max(this.#end, offset + length);
    }
  }

  /** The first hole that is long enough, else the end of the file. */
  allocate(length: number): Extent {
    return this.allocateBelow(length, Infinity) ?? this.#append(length);
  }

  /** A run that ends before `limit`; `undefined` where no hole is. */
  allocateBelow(length: number, limit: number): Extent | undefined {
    if (length === 0) return { offset: 0, length };
    if (length > this.#longest) return undefined;
    let longest = 0;
    for (const [at, hole] of this.#holes.entries()) {
      if (hole.offset + length > limit) return undefined;
      if (hole.length >= length) {
        this.#take(at, hole, length);
        return { offset: hole.offset, length };
      }
      longest = Math.max(longest, hole.length);
    }
    this.#longest = longest;
    return undefined;
  }

  release({ offset, length }: Extent): void {
    if (length === 0) return;
    let at = this.#after(offset);
    const before = this.#holes[at - 1];
    const after = this.#holes[at];
    let [from, to] = [offset, offset + length];
    if (after !== undefined && after.offset === to) {
      to += after.length;
      this.#removeHole(at);
    }
    if (before !== undefined && before.offset + before.length === from) {
      from = before.offset;
      at--;
      this.#removeHole(at);
    }
    if (to === this.#end) this.#end = from;
    else this.#insert(at, { offset: from, length: to - from });
  }

  #append(length: number): Extent {
    const extent = { offset: this.#end, length };
    this.#end += length;
    return extent;
  }

  #take(at: number, hole: Extent, length: number): void {
    this.#removeHole(at);
    if (hole.length > length) this.#insert(at, { offset: hole.offset + length, length: hole.length - length });
  }

  #insert(at: number, hole: Extent): void {
    this.#holes.splice(at, 0, hole);
    this.#free += hole.length;
    this.#longest = Math.max(this.#longest, hole.length);
  }

  #removeHole(at: number): void {
    const [hole] = this.#holes.splice(at, 1);
    this.#free -= hole?.length ?? 0;
  }

  /** The first hole that begins after the offset, by halving. */
  #after(offset: number): number {
    let [low, high] = [0, this.#holes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#holes[middle]?.offset ?? Infinity) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
