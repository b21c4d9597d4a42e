/** Whole numbers of one to eight bytes, as QUIC and HTTP/3 write them (RFC 9000 section 16). */

/** @returns the number and the bytes that it took, or `undefined` where it is not all here */
export function readVarint(bytes: Uint8Array, at: number): { value: number; end: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  const length = 1 << (first >> 6);
  if (at + length > bytes.length) return undefined;
  let value = first & 0x3f;
  // Beyond 2^53 it is not exact: no type or length that is known here is as large.
  for (let i = 1; i < length; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return { value, end: at + length };
}

export function varint(value: number): Uint8Array {
  if (value < 0x40) return Uint8Array.of(value);
  if (value < 0x4000) return Uint8Array.of(0x40 | (value >> 8), value & 0xff);
  const bytes = new Uint8Array(value < 2 ** 30 ? 4 : 8);
  const view = new DataView(bytes.buffer);
  if (bytes.length === 4) view.setUint32(0, (value | 0x8000_0000) >>> 0);
  else view.setBigUint64(0, BigInt(value) | 0xc000_0000_0000_0000n);
  return bytes;
}
