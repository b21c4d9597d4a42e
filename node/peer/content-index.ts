/** What is listed, by digest, in little memory: 46 bytes for each, where a map of texts would take 300. */

/** Where something lies. */
export const PLACES = ['file', 'executable', 'block'] as const;
export type Place = (typeof PLACES)[number];

export interface Listed {
  place: Place;
  /** Bytes. */
  size: number;
}

const DIGEST = 32;

export class ContentIndex {
  readonly #digests: Buffer;
  readonly #codecs: Uint8Array;
  readonly #places: Uint8Array;
  readonly #sizes: Float64Array;

  /** @param items in any order; of two with the same digest and codec, the first counts */
  constructor(items: Iterable<{ digest: Uint8Array; codec: number } & Listed>) {
    const unique = new Map<string, { digest: Uint8Array; codec: number } & Listed>();
    for (const item of items) {
      const key = `${item.codec}${Buffer.from(item.digest).toString('latin1')}`;
      if (!unique.has(key)) unique.set(key, item);
    }
    const sorted = [...unique.values()].toSorted((a, b) => Buffer.compare(a.digest, b.digest) || a.codec - b.codec);
    this.#digests = Buffer.alloc(sorted.length * DIGEST);
    this.#codecs = new Uint8Array(sorted.length);
    this.#places = new Uint8Array(sorted.length);
    this.#sizes = new Float64Array(sorted.length);
    for (const [i, { digest, codec, place, size }] of sorted.entries()) {
      this.#digests.set(digest, i * DIGEST);
      this.#codecs[i] = codec;
      this.#places[i] = PLACES.indexOf(place);
      this.#sizes[i] = size;
    }
  }

  get size(): number {
    return this.#codecs.length;
  }

  find(digest: Uint8Array, codec: number): Listed | undefined {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = this.#digests.compare(digest, 0, DIGEST, middle * DIGEST, (middle + 1) * DIGEST) || (this.#codecs[middle] ?? 0) - codec;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    const found = low < this.size && this.#codecs[low] === codec && this.#digests.compare(digest, 0, DIGEST, low * DIGEST, (low + 1) * DIGEST) === 0;
    const place = found ? PLACES[this.#places[low] ?? 0] : undefined;
    return place === undefined ? undefined : { place, size: this.#sizes[low] ?? 0 };
  }
}
