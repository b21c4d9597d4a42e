/** How much two contents share, without comparing them byte by byte: the smallest hashes of their shingles (Broder 1997). */

export type Sketch = Uint32Array;

/** Hashes that are kept. */
const SIZE = 64;
/** Bytes in a shingle. */
const SHINGLE = 24;
/** One of this many positions counts, chosen by content, so that an insertion moves none of the others. */
const SAMPLED = 16;
const PRIME = 0x01000193;

/** The bottom-k sketch of some content. */
export function sketchOf(bytes: Uint8Array): Sketch {
  let drop = 1;
  for (let i = 0; i < SHINGLE; i++) drop = Math.imul(drop, PRIME) >>> 0;
  const hashes = new Set<number>();
  let hash = 0;
  for (let i = 0; i < bytes.length; i++) {
    hash = (Math.imul(hash, PRIME) + (bytes[i] ?? 0) + 1) >>> 0;
    if (i >= SHINGLE) hash = (hash - Math.imul(drop, (bytes[i - SHINGLE] ?? 0) + 1)) >>> 0;
    if (i >= SHINGLE - 1) {
      const mixed = mix(hash);
      if (mixed % SAMPLED === 0) hashes.add(mixed);
    }
  }
  return Uint32Array.from(hashes).toSorted().slice(0, SIZE);
}

/** The share of the smallest hashes of both that both have: 0 to 1, an estimate of their resemblance. */
export function similarity(a: Sketch, b: Sketch): number {
  let [i, j, both, seen] = [0, 0, 0, 0];
  while (i < a.length && j < b.length && seen < SIZE) {
    const [x = 0, y = 0] = [a[i], b[j]];
    if (x === y) both++;
    if (x <= y) i++;
    if (y <= x) j++;
    seen++;
  }
  return seen === 0 ? 0 : both / Math.max(seen, Math.min(SIZE, Math.max(a.length, b.length)));
}

/** Spreads what a polynomial leaves in the low bits (the finalizer of MurmurHash3). */
function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
