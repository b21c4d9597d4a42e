/** The meta payload of a `.stone`: tagged values, and the metadata that they make. */
import type { PackageMetadata } from '../../core/dag/package.ts';
import type { ByteReader } from './byte-reader.ts';
import { checkedMetadata } from './check-metadata.ts';
import type { Place } from './place.ts';
import type { StonePayload } from './stone-container.ts';

const TAG = {
  name: 1,
  architecture: 2,
  version: 3,
  summary: 4,
  description: 5,
  homepage: 6,
  source: 7,
  depends: 8,
  provides: 9,
  conflicts: 10,
  release: 11,
  licence: 12,
  uri: 14,
  sha256: 15,
  size: 16,
} as const;

/** Primitives, by their number: bytes of an integer, and whether it has a sign. */
const INTEGERS: Readonly<Record<number, { bytes: number; signed: boolean }>> = {
  1: { bytes: 1, signed: true },
  2: { bytes: 1, signed: false },
  3: { bytes: 2, signed: true },
  4: { bytes: 2, signed: false },
  5: { bytes: 4, signed: true },
  6: { bytes: 4, signed: false },
  7: { bytes: 8, signed: true },
  8: { bytes: 8, signed: false },
};
const STRING = 9;
const DEPENDENCY = 10;
const PROVIDER = 11;

const DEPENDENCY_KINDS = ['name', 'soname', 'pkgconfig', 'interpreter', 'cmake', 'python', 'binary', 'sysbinary', 'pkgconfig32'];

/** Debian's words for the machines that the format knows; others are left as they are. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64', x86: 'i386' };

const RECORD_HEADER = 8;
/** Bytes. */
const MAX_VALUE = 1024 * 1024;
const MAX_META = 16 * 1024 * 1024;

type Value = string | number;
/** The values of each tag that is known, in order. */
export type StoneMeta = ReadonlyMap<number, Value[]>;

/** @throws MossError `bad-package`, `unsupported` */
export async function readStoneMeta(reader: ByteReader, payload: StonePayload, place: Place): Promise<StoneMeta> {
  if (payload.plainSize > MAX_META) throw place.bad(`it unpacks to ${payload.plainSize} bytes; the limit is ${MAX_META}`, { offset: payload.start });
  const meta = new Map<number, Value[]>();
  for (let left = payload.records; left > 0; left--) {
    const offset = reader.offset;
    const header = Buffer.from(await reader.read(RECORD_HEADER, 'the header of a record'));
    const length = header.readUInt32BE(0);
    if (length > MAX_VALUE) throw place.bad(`a value of ${length} bytes; the limit is ${MAX_VALUE}`, { offset });
    const value = decodeValue(header.readUInt8(6), Buffer.from(await reader.read(length, 'a value')), offset, place);
    if (value === undefined) continue;
    const tag = header.readUInt16BE(4);
    const values = meta.get(tag);
    if (values === undefined) meta.set(tag, [value]);
    else values.push(value);
  }
  if (!(await reader.atEnd())) throw place.bad(`bytes follow its ${payload.records} records`, { offset: reader.offset });
  return meta;
}

/** `undefined` for a primitive that is not known. */
function decodeValue(primitive: number, bytes: Buffer, offset: number, place: Place): Value | undefined {
  const integer = INTEGERS[primitive];
  if (integer !== undefined) {
    if (bytes.length !== integer.bytes) throw place.bad(`a number of ${bytes.length} bytes should have ${integer.bytes}`, { offset });
    const bits = bytes.length * 8;
    const unsigned = BigInt(`0x${bytes.toString('hex')}`);
    const number = Number(integer.signed ? BigInt.asIntN(bits, unsigned) : unsigned);
    if (!Number.isSafeInteger(number)) throw place.bad(`the number ${number} cannot be`, { offset });
    return number;
  }
  if (primitive === STRING) return decodeText(bytes, offset, place);
  if (primitive !== DEPENDENCY && primitive !== PROVIDER) return undefined;
  const [number] = bytes;
  const kind = number === undefined ? undefined : DEPENDENCY_KINDS[number];
  if (kind === undefined) throw place.unsupported(`a dependency of the unknown kind ${number ?? 'of no bytes'}`, { offset });
  const value = decodeText(bytes.subarray(1), offset, place);
  return kind === 'name' ? value : `${kind}(${value})`;
}

/** Ends in one NUL, which counts. */
function decodeText(bytes: Buffer, offset: number, place: Place): string {
  if (bytes.at(-1) !== 0) throw place.bad('a text without the NUL at its end', { offset });
  const text = bytes.toString('utf8', 0, bytes.length - 1);
  if (text.includes('\0') || text.includes('\uFFFD')) throw place.bad('a text that is not valid UTF-8, or holds a NUL', { offset });
  return text;
}

/** What the package says of itself. @throws MossError `bad-package` */
export function stoneMetadata(meta: StoneMeta, place: Place): PackageMetadata {
  const texts = (tag: keyof typeof TAG) => (meta.get(TAG[tag]) ?? []).filter((value) => typeof value === 'string');
  const text = (tag: keyof typeof TAG) => {
    const [value = '', ...more] = texts(tag);
    if (more.length > 0) throw place.bad(`it gives its ${tag} ${more.length + 1} times`);
    return value.trim();
  };
  const required = (tag: keyof typeof TAG) => text(tag) || missing(tag, place);
  const name = required('name');
  const architecture = required('architecture');
  const metadata: PackageMetadata = {
    name,
    version: required('version'),
    release: numberOf(meta, 'release', place),
    architecture: ARCHITECTURES[architecture] ?? architecture.replaceAll('_', '-'),
    format: 'stone',
    summary: text('summary').replace(/\s+/g, ' '),
    description: text('description'),
    homepage: text('homepage'),
    licences: [...new Set(texts('licence'))],
    depends: [...new Set(texts('depends'))],
    recommends: [],
    suggests: [],
    // Every package provides its own name, here as everywhere.
    provides: [...new Set(texts('provides'))].filter((provide) => provide !== name),
    conflicts: [...new Set(texts('conflicts'))],
    breaks: [],
    replaces: [],
    essential: false,
    multiArch: '',
    source: text('source') || name,
  };
  return checkedMetadata(metadata, place);
}

/** What `stone.index` says of one package file. */
export interface StoneReference {
  /** Relative to the index. */
  uri: string;
  /** In hex, of the whole file. */
  sha256: string;
  /** Bytes. */
  size: number;
}

/** @throws MossError `bad-package`, `bad-path` */
export function stoneReference(meta: StoneMeta, place: Place): StoneReference {
  const [uri] = meta.get(TAG.uri) ?? [];
  const [sha256] = meta.get(TAG.sha256) ?? [];
  if (typeof uri !== 'string' || uri === '') throw missing('uri', place);
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) throw place.bad(`it gives no SHA-256 for ${JSON.stringify(uri.slice(0, 200))}`);
  if (uri.startsWith('/') || /^[a-z][a-z0-9+.-]*:/i.test(uri)) throw place.badPath('an index names files relative to itself', uri);
  return { uri, sha256, size: numberOf(meta, 'size', place) };
}

function numberOf(meta: StoneMeta, tag: keyof typeof TAG, place: Place): number {
  const [value] = meta.get(TAG[tag]) ?? [];
  if (typeof value !== 'number' || value < 0) throw missing(tag, place);
  return value;
}

function missing(tag: string, place: Place): never {
  throw place.bad(`it does not give its ${tag}`);
}
