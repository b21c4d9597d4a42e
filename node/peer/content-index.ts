/** What is listed, by digest, in little memory: 46 bytes for each, where a map of texts would take 300. */

/** Where something lies. What is of an earlier version is not served: deltas may start from it. */
export const PLACES = ['file', 'executable', 'block', 'earlier file', 'earlier executable'] as const;
export type Place = (typeof PLACES)[number];

export interface Listed {
  place: Place;
  /** Bytes. */
  size: number;
}

/** The same, column by column, as it goes from one thread to another. */
export interface Columns {
  digests: Uint8Array;
  codecs: Uint8Array;
  places: Uint8Array;
  sizes: Float64Array;
}

export type Item = { digest: Uint8Array; codec: number } & Listed;

const DIGEST = 32;

export class ContentIndex {
  /** In the order of digests, then of codecs. */
  readonly columns: Columns;
  readonly #digests: Buffer;
  readonly #codecs: Uint8Array;
  readonly #places: Uint8Array;
  readonly #sizes: Float64Array;

  /** @param items in any order, of two with the same digest and codec the first counts; or the columns of another index */
  constructor(items: Iterable<Item> | Columns) {
    this.columns = 'digests' in items ? items : columnsOf(items);
    const { digests, codecs, places, sizes } = this.columns;
    this.#digests = Buffer.from(digests.buffer, digests.byteOffset, digests.length);
    [this.#codecs, this.#places, this.#sizes] = [codecs, places, sizes];
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

function columnsOf(items: Iterable<Item>): Columns {
  const unique = new Map<string, Item>();
  for (const item of items) {
    const key = `${item.codec}${Buffer.from(item.digest).toString('latin1')}`;
    if (!unique.has(key)) unique.set(key, item);
  }
  const sorted = [...unique.values()].toSorted((a, b) => Buffer.compare(a.digest, b.digest) || a.codec - b.codec);
  const columns = {
    digests: new Uint8Array(sorted.length * DIGEST),
    codecs: new Uint8Array(sorted.length),
    places: new Uint8Array(sorted.length),
    sizes: new Float64Array(sorted.length),
  };
  for (const [i, { digest, codec, place, size }] of sorted.entries()) {
    columns.digests.set(digest, i * DIGEST);
    columns.codecs[i] = codec;
    columns.places[i] = PLACES.indexOf(place);
    columns.sizes[i] = size;
  }
  return columns;
}
