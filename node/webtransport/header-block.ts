/**
 * Headers of HTTP/3 as QPACK writes them (RFC 9204), without a dynamic table: our SETTINGS allow none. Decoded is what a
 * request for a session may be made of.
 */

/** Of the static table (RFC 9204 appendix A), the entries that a CONNECT may use; the others are not looked at. */
const STATIC: Readonly<Record<number, readonly [name: string, value: string]>> = {
  0: [':authority', ''],
  1: [':path', '/'],
  15: [':method', 'CONNECT'],
  16: [':method', 'DELETE'],
  17: [':method', 'GET'],
  18: [':method', 'HEAD'],
  19: [':method', 'OPTIONS'],
  20: [':method', 'POST'],
  21: [':method', 'PUT'],
  22: [':scheme', 'http'],
  23: [':scheme', 'https'],
  90: ['origin', ''],
};

/** Characters by the length of their code, which is canonical (RFC 7541 appendix B): those that a header may have. */
const LENGTHS: readonly (readonly [bits: number, characters: string])[] = [
  [5, '012aceiost'],
  [6, ' %-./3456789=A_bdfghlmnpru'],
  [7, ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz'],
  [8, '&*,;XZ'],
  [10, '!"()?'],
  [11, "'+|"],
  [12, '#>'],
  [13, '\0$@[]~'],
  [14, '^}'],
  [15, '<`{'],
];
/** By a one and then the code. */
const CODES = new Map<number, string>();
for (let [next, length, at] = [0, 5, 0]; at < LENGTHS.length; at++) {
  const [bits = 0, characters = ''] = LENGTHS[at] ?? [];
  next <<= bits - length;
  length = bits;
  for (const character of characters) CODES.set((1 << bits) | next++, character);
}

/** @throws RangeError for a code that no header has, or padding that is none */
export function huffmanText(bytes: Uint8Array): string {
  let text = '';
  let code = 1;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      const character = CODES.get(code);
      if (character !== undefined) {
        text += character;
        code = 1;
      } else if (code > 0xffff) throw new RangeError('no character that a header has');
    }
  }
  // At most seven ones are left (RFC 7541 section 5.2).
  if (code > 0xff || (code & (code + 1)) !== 0) throw new RangeError('bad padding');
  return text;
}

/** @throws RangeError for what is cut off, or what would need a dynamic table */
export function readHeaderBlock(block: Uint8Array): Map<string, string> {
  const headers = new Map<string, string>();
  let at = 0;
  const byte = (): number => {
    const value = block[at++];
    if (value === undefined) throw new RangeError('the headers are cut off');
    return value;
  };
  /** RFC 7541 section 5.1. */
  const integer = (first: number, bits: number): number => {
    const most = (1 << bits) - 1;
    let value = first & most;
    for (let shift = 0; value >= most; shift += 7) {
      if (shift > 14) throw new RangeError('a number is too large');
      const next = byte();
      value += (next & 0x7f) << shift;
      if (next < 0x80) break;
    }
    return value;
  };
  const text = (first: number, bits: number): string => {
    const length = integer(first, bits);
    if (at + length > block.length) throw new RangeError('a text is cut off');
    const bytes = block.subarray(at, (at += length));
    return (first & (1 << bits)) === 0 ? Buffer.from(bytes).toString('latin1') : huffmanText(bytes);
  };
  if (integer(byte(), 8) !== 0) throw new RangeError('a dynamic table is needed');
  integer(byte(), 7);
  while (at < block.length) {
    const first = byte();
    // Section 4.5.2: an indexed line; 4.5.4: a name of the table, with a value; 4.5.6: both as they are.
    if ((first & 0x80) !== 0) {
      if ((first & 0x40) === 0) throw new RangeError('a dynamic table is needed');
      const [name = '', value = ''] = STATIC[integer(first, 6)] ?? [];
      headers.set(name, value);
    } else if ((first & 0x40) !== 0) {
      if ((first & 0x10) === 0) throw new RangeError('a dynamic table is needed');
      const [name = ''] = STATIC[integer(first, 4)] ?? [];
      headers.set(name, text(byte(), 7));
    } else if ((first & 0x20) !== 0) {
      const name = text(first, 3);
      headers.set(name, text(byte(), 7));
    } else throw new RangeError('a dynamic table is needed');
  }
  return headers;
}

/** @param status whose place in the static table is known */
export function statusBlock(status: 200 | 404, headers: Readonly<Record<string, string>> = {}): Uint8Array {
  const lines = Object.entries(headers).flatMap(([name, value]) => [
    // A length of up to 6 bytes stands in the first byte's three bits; longer ones go on in the next.
    Buffer.from(name.length < 7 ? [0x20 | name.length] : [0x27, name.length - 7]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
  return Buffer.concat([Buffer.from([0, 0, 0xc0 | (status === 200 ? 25 : 27)]), ...lines]);
}
