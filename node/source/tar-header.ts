/** One 512-byte header of a tar archive (POSIX ustar, GNU and old V7), and the records of a pax header. */
import type { Place } from './place.ts';

export const BLOCK = 512;

export interface TarHeader {
  /** The type flag, one character; `0` for the NUL of V7. */
  flag: string;
  name: string;
  /** All bits that the field has. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes. */
  size: number;
  linkName: string;
  user: string;
  group: string;
}

/**
 * Decodes a header.
 *
 * @param at its offset in the archive, for errors
 * @returns `undefined` for a block of zeros, which ends the archive
 * @throws MossError `bad-package`
 */
export function parseTarHeader(bytes: Uint8Array, at: number, place: Place): TarHeader | undefined {
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, BLOCK);
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += block[i] ?? 0;
  if (sum === 0) return undefined;
  for (let i = 148; i < 156; i++) sum += 0x20 - (block[i] ?? 0);
  const number = (start: number, length: number, what: string) => parseNumber(block, start, length, () => place.bad(`the ${what} of a tar header is no number that can be`, { offset: at + start }));
  if (number(148, 8, 'checksum') !== sum) throw place.bad('the checksum of a tar header is wrong', { offset: at });
  const magic = block.toString('latin1', 257, 265);
  const prefix = magic.startsWith('ustar\0') ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  const flag = block.toString('latin1', 156, 157);
  const named = magic.startsWith('ustar');
  return {
    flag: flag === '\0' ? '0' : flag,
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: number(100, 8, 'mode'),
    uid: number(108, 8, 'owner'),
    gid: number(116, 8, 'group'),
    size: number(124, 12, 'size'),
    linkName: text(block, 157, 100),
    user: named ? text(block, 265, 32) : '',
    group: named ? text(block, 297, 32) : '',
  };
}

function text(block: Buffer, start: number, length: number): string {
  const nul = block.indexOf(0, start);
  return block.toString('utf8', start, nul === -1 || nul > start + length ? start + length : nul);
}

/** Octal digits, or GNU's base 256: the first bit set, then a big-endian number, in two's complement. */
function parseNumber(block: Buffer, start: number, length: number, bad: () => Error): number {
  const first = block[start] ?? 0;
  if (first < 0x80) {
    const digits = block.toString('latin1', start, start + length).replace(/\0.*$/s, '').trim();
    if (!/^[0-7]*$/.test(digits)) throw bad();
    return digits === '' ? 0 : Number.parseInt(digits, 8);
  }
  // 0x40 is the sign; no field of a package is negative.
  if ((first & 0x40) !== 0) throw bad();
  let value = first & 0x3f;
  for (let i = start + 1; i < start + length; i++) value = value * 256 + (block[i] ?? 0);
  if (!Number.isSafeInteger(value)) throw bad();
  return value;
}

/** What a pax header changes in the header after it. */
export type PaxRecords = Map<string, string>;

/**
 * Decodes pax records, `length key=value\n` each (POSIX pax, "Extended Header").
 *
 * @throws MossError `bad-package`
 */
export function parsePax(bytes: Uint8Array, at: number, place: Place): PaxRecords {
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const records: PaxRecords = new Map();
  for (let start = 0; start < block.length; ) {
    const space = block.indexOf(0x20, start);
    const digits = space === -1 ? '' : block.toString('latin1', start, Math.min(space, start + 12));
    const end = start + Number(digits);
    if (!/^[1-9][0-9]{0,8}$/.test(digits) || end > block.length || end <= space || block[end - 1] !== 0x0a) {
      throw place.bad('a pax header has a record with a wrong length', { offset: at + start });
    }
    const equals = block.indexOf(0x3d, space);
    if (equals === -1 || equals >= end) throw place.bad('a pax header has a record without =', { offset: at + start });
    records.set(block.toString('utf8', space + 1, equals), block.toString('utf8', equals + 1, end - 1));
    start = end;
  }
  return records;
}

/** The header with the records put over it. @throws MossError `bad-package` or `unsupported` */
export function applyPax(header: TarHeader, records: PaxRecords, at: number, place: Place): TarHeader {
  const number = (key: string, fallback: number) => {
    const value = records.get(key);
    if (value === undefined || value === '') return fallback;
    if (!/^[0-9]{1,16}$/.test(value) || !Number.isSafeInteger(Number(value))) {
      throw place.bad(`a pax header says ${key}=${value.slice(0, 40)}, which cannot be`, { offset: at });
    }
    return Number(value);
  };
  for (const key of records.keys()) {
    if (key.startsWith('GNU.sparse.')) throw place.unsupported('a sparse file', { offset: at, path: records.get('GNU.sparse.name') ?? header.name });
  }
  // An empty value takes a record back (POSIX pax, "Extended Header Keyword Precedence").
  return {
    ...header,
    name: records.get('path') || header.name,
    linkName: records.get('linkpath') || header.linkName,
    user: records.get('uname') ?? header.user,
    group: records.get('gname') ?? header.group,
    size: number('size', header.size),
    uid: number('uid', header.uid),
    gid: number('gid', header.gid),
  };
}
