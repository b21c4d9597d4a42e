/** Cuts the rows of a component into parts whose borders stay where they are when rows come and go elsewhere. */
import type { Entry } from '../../core/dag/entry.ts';

/** Rows in a part: at least, on average above that, and at most. */
const LEAST = 1024;
const SPAN = 4096;
const MOST = 8192;

/** The rows in runs; a run ends after a row whose path hashes to a border, so it depends on nothing but the path. */
export function cutParts(entries: readonly Entry[]): Entry[][] {
  const parts: Entry[][] = [];
  let part: Entry[] = [];
  for (const entry of entries) {
    part.push(entry);
    if (part.length >= MOST || (part.length >= LEAST && fnv1a(entry.path) % SPAN === 0)) {
      parts.push(part);
      part = [];
    }
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

/** FNV-1a, 32 bits, over UTF-16 code units: a border needs no strength. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
