/**
 * The blocks that a donor is to hold, one number each, in little memory: 100,000 take some 6 MB, where a map of texts and
 * CIDs takes 60 (measured in Chromium).
 */
import { cidOf, DAG_CBOR, DAG_PB, RAW, type Cid } from '../dag/cid.ts';
import { MossError } from '../error.ts';

export interface ListedBlock {
  readonly cid: Cid;
  /** Bytes. */
  readonly size: number;
}

const DIGEST = 32;
const FIRST = 1024;
const NOWHERE = 0;

export class BlockList {
  #digests = new Uint8Array(FIRST * DIGEST);
  #codecs = new Uint8Array(FIRST);
  #sizes = new Uint32Array(FIRST);
  /** The package that has it first, and one more; 0 for none. */
  #owners = new Uint32Array(FIRST);
  /** Further ones: few blocks have any. */
  readonly #others = new Map<number, number[]>();
  /** The number of a block and one more, at the place that its digest gives, or after it (linear probing). */
  #places = new Uint32Array(4 * FIRST);
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** Of all blocks. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number of a block, or `undefined` where it is not listed. */
  find(cid: Cid): number | undefined {
    const found = this.#places[this.#place(cid.code, cid.multihash.digest)] ?? NOWHERE;
    return found === NOWHERE ? undefined : found - 1;
  }

  size(block: number): number {
    return this.#sizes[block] ?? 0;
  }

  cid(block: number): Cid {
    const codec = this.#codecs[block];
    if (codec !== RAW && codec !== DAG_PB && codec !== DAG_CBOR) throw new MossError('bug', `there is no block ${block}`);
    return cidOf(codec, this.#digests.slice(block * DIGEST, (block + 1) * DIGEST));
  }

  /** The packages that have it, by number. */
  owners(block: number): readonly number[] {
    const first = this.#owners[block] ?? 0;
    return first === 0 ? [] : [first - 1, ...(this.#others.get(block) ?? [])];
  }

  /** @returns its number, the same where it is listed already */
  add({ cid, size }: ListedBlock, owner?: number): number {
    const block = this.find(cid) ?? this.#append(cid, size);
    if (owner !== undefined) this.#own(block, owner);
    return block;
  }

  #own(block: number, owner: number): void {
    const first = this.#owners[block] ?? 0;
    if (first === 0) this.#owners[block] = owner + 1;
    else if (!this.owners(block).includes(owner)) this.#others.set(block, [...(this.#others.get(block) ?? []), owner]);
  }

  #append({ code, multihash: { digest } }: Cid, size: number): number {
    if (this.#count === this.#codecs.length) this.#grow();
    const block = this.#count++;
    this.#digests.set(digest, block * DIGEST);
    this.#codecs[block] = code;
    this.#sizes[block] = size;
    this.#bytes += size;
    this.#places[this.#place(code, digest)] = block + 1;
    return block;
  }

  /** Where it is; where it is not, where it would be. The digest is random already: four bytes of it are the hash. */
  #place(codec: number, digest: Uint8Array): number {
    const mask = this.#places.length - 1;
    const word = (digest[0] ?? 0) | ((digest[1] ?? 0) << 8) | ((digest[2] ?? 0) << 16) | ((digest[3] ?? 0) << 24);
    for (let place = word & mask; ; place = (place + 1) & mask) {
      const found = this.#places[place] ?? NOWHERE;
      if (found === NOWHERE || this.#is(found - 1, codec, digest)) return place;
    }
  }

  #is(block: number, codec: number, digest: Uint8Array): boolean {
    if (this.#codecs[block] !== codec) return false;
    const at = block * DIGEST;
    for (let i = 0; i < DIGEST; i++) if (this.#digests[at + i] !== digest[i]) return false;
    return true;
  }

  #grow(): void {
    const length = 2 * this.#codecs.length;
    this.#digests = filled(new Uint8Array(length * DIGEST), this.#digests);
    this.#codecs = filled(new Uint8Array(length), this.#codecs);
    this.#sizes = filled(new Uint32Array(length), this.#sizes);
    this.#owners = filled(new Uint32Array(length), this.#owners);
    this.#places = new Uint32Array(4 * length);
    for (let block = 0; block < this.#count; block++) {
      const at = block * DIGEST;
      this.#places[this.#place(this.#codecs[block] ?? 0, this.#digests.subarray(at, at + DIGEST))] = block + 1;
    }
  }
}

function filled<T extends Uint8Array | Uint32Array>(to: T, from: T): T {
  to.set(from);
  return to;
}
