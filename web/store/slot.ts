/**
 * One block's line in the index file: 64 bytes, little-endian, written in one call and checked when read, so that a
 * torn or damaged one counts as free.
 *
 *     0   u8   0x6d
 *     1   u8   codec of the CID
 *     4   u32  bytes of the block
 *     8   f64  where it begins in the pack file
 *     16       SHA-256 of the block, 32 bytes
 *     60  u32  FNV-1a of all before it
 */
import { MAX_BLOCK_SIZE } from '../../core/dag/block.ts';

export const SLOT_SIZE = 64;
/** A codec and a SHA-256 digest: what a `Cid` comes down to. */
export const KEY_SIZE = 33;

const MAGIC = 0x6d;
const CHECKSUM_AT = 60;
const DIGEST_AT = 16;

export interface Extent {
  /** Bytes from the beginning of the pack file. */
  readonly offset: number;
  readonly length: number;
}

export function writeSlot(into: Uint8Array, at: number, key: Uint8Array, { offset, length }: Extent): void {
  const view = new DataView(into.buffer, into.byteOffset + at, SLOT_SIZE);
  into.fill(0, at, at + SLOT_SIZE);
  view.setUint8(0, MAGIC);
  view.setUint8(1, key[0] ?? 0);
  view.setUint32(4, length, true);
  view.setFloat64(8, offset, true);
  into.set(key.subarray(1, KEY_SIZE), at + DIGEST_AT);
  view.setUint32(CHECKSUM_AT, checksum(into, at), true);
}

/** Where the block of this slot is; `undefined` for a free or damaged one. */
export function readSlot(from: Uint8Array, at: number): Extent | undefined {
  if (from[at] !== MAGIC) return undefined;
  const view = new DataView(from.buffer, from.byteOffset + at, SLOT_SIZE);
  if (view.getUint32(CHECKSUM_AT, true) !== checksum(from, at)) return undefined;
  const [offset, length] = [view.getFloat64(8, true), view.getUint32(4, true)];
  return Number.isSafeInteger(offset) && offset >= 0 && length <= MAX_BLOCK_SIZE ? { offset, length } : undefined;
}

export function keyOf(from: Uint8Array, at: number): Uint8Array {
  const key = new Uint8Array(KEY_SIZE);
  key[0] = from[at + 1] ?? 0;
  key.set(from.subarray(at + DIGEST_AT, at + DIGEST_AT + 32), 1);
  return key;
}

export function hasKey(from: Uint8Array, at: number, key: Uint8Array): boolean {
  if (from[at + 1] !== key[0]) return false;
  for (let i = 1; i < KEY_SIZE; i++) if (from[at + DIGEST_AT - 1 + i] !== key[i]) return false;
  return true;
}

/** FNV-1a, 32 bits (RFC draft-eastlake-fnv): against torn writes, not against anybody. */
function checksum(bytes: Uint8Array, at: number): number {
  let hash = 0x811c9dc5;
  for (let i = at; i < at + CHECKSUM_AT; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return hash >>> 0;
}
