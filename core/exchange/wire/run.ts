/**
 * A run: several small answers as one, compressed together. Each alone costs what files share again and again; together
 * they are what they would be in an archive.
 *
 * Unpacked, a run is `count u16`, then for each answer `number u32` and `length u32`, then their contents in that order.
 */
import { badMessage, MAX_ITEMS } from './message.ts';

export interface RunEntry {
  number: number;
  bytes: Uint8Array;
}

const HEAD = 2;
/** Bytes that a run says of each of its answers. */
export const ENTRY = 8;

/** Bytes that a run of answers has beside their own. */
export function runOverhead(count: number): number {
  return HEAD + ENTRY * count;
}

/** @param entries at least one, their numbers ascending */
export function encodeRun(entries: readonly RunEntry[]): Uint8Array {
  const start = runOverhead(entries.length);
  const out = new Uint8Array(entries.reduce((sum, { bytes }) => sum + bytes.length, start));
  const view = new DataView(out.buffer);
  view.setUint16(0, entries.length);
  let at = start;
  for (const [i, { number, bytes }] of entries.entries()) {
    view.setUint32(HEAD + ENTRY * i, number);
    view.setUint32(HEAD + ENTRY * i + 4, bytes.length);
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

/**
 * The answers of a run. Each has bytes of its own.
 *
 * @throws MossError `bad-message` unless they are exactly what the run says, their numbers ascending
 */
export function decodeRun(run: Uint8Array): RunEntry[] {
  const view = new DataView(run.buffer, run.byteOffset, run.byteLength);
  const count = run.length < HEAD ? 0 : view.getUint16(0);
  if (count === 0 || count > MAX_ITEMS || run.length < runOverhead(count)) throw badMessage(`a run of ${count} answers in ${run.length} bytes`);
  const entries: RunEntry[] = [];
  let at = runOverhead(count);
  for (let i = 0; i < count; i++) {
    const [number, length] = [view.getUint32(HEAD + ENTRY * i), view.getUint32(HEAD + ENTRY * i + 4)];
    if (number <= (entries.at(-1)?.number ?? -1) || length > run.length - at) throw badMessage('a run whose answers do not fit into it');
    entries.push({ number, bytes: run.slice(at, at + length) });
    at += length;
  }
  if (at !== run.length) throw badMessage('a run with something behind its answers');
  return entries;
}
