/**
 * The container of `.stone` files and of `stone.index`, version 1: a header, then payloads, each with a header of its
 * own. All integers are big-endian.
 */
import { createXXHash3 } from 'hash-wasm';
import type { AbortSignal } from '../../core/ports/abort.ts';
import { ByteReader } from './byte-reader.ts';
import { decompress, type Compression } from './decompress.ts';
import { fileRange, readAt } from './file-range.ts';
import type { Place } from './place.ts';

export const STONE_MAGIC = '\0mos';
const HEADER_SIZE = 32;
/** Bytes 6 to 26 of every header: they show damage by transfers that change text. */
const INTEGRITY = '000001000002000003000004000005000006000007';

/** What a file holds, by its type. */
const FILE_TYPES: Readonly<Record<number, StoneType>> = { 1: 'package', 2: 'delta', 3: 'index', 4: 'build manifest' };
export type StoneType = 'package' | 'delta' | 'index' | 'build manifest';

const KINDS: Readonly<Record<number, PayloadKind>> = { 1: 'meta', 2: 'content', 3: 'layout', 4: 'index', 5: 'attributes' };
export type PayloadKind = 'meta' | 'content' | 'layout' | 'index' | 'attributes';

const COMPRESSIONS: Readonly<Record<number, Compression>> = { 1: 'none', 2: 'zstd' };

/**
 * Today's writer asks for a window of 2 GiB whatever the size of the content. What is really used is never more than
 * was unpacked, and that is held to the size that the header says.
 */
const WINDOW_LOG = 31;

export interface StonePayload {
  kind: PayloadKind;
  compression: Compression;
  /** Bytes from the start of the file. */
  start: number;
  /** Bytes in the file. */
  storedSize: number;
  /** Bytes when unpacked. */
  plainSize: number;
  /** XXH3-64 of the stored bytes, in hex. */
  checksum: string;
  /** Means nothing for content. */
  records: number;
}

export interface StoneFile {
  type: StoneType;
  /** Those of a kind and compression that are known; others are to be skipped. */
  payloads: StonePayload[];
}

/**
 * Reads the headers of a file.
 *
 * @param size bytes of the file
 * @throws MossError `bad-package`, or `unsupported` for another version of the format
 */
export function stonePayloads(fd: number, size: number, place: Place): StoneFile {
  const header = readAt(fd, 0, HEADER_SIZE);
  if (header.toString('latin1', 0, 4) !== STONE_MAGIC) throw place.bad('it is no stone container', { offset: 0 });
  if (header.length < HEADER_SIZE) throw place.bad('it ends within the header', { offset: header.length });
  if (header.toString('hex', 6, 27) !== INTEGRITY) throw place.bad('the header is corrupt', { offset: 6 });
  const version = header.readUInt32BE(28);
  if (version !== 1) throw place.unsupported(`version ${version} of the format; only 1 is read`, { offset: 28 });
  const type = FILE_TYPES[header.readUInt8(27)];
  if (type === undefined) throw place.bad(`an unknown type of file: ${header.readUInt8(27)}`, { offset: 27 });

  const payloads: StonePayload[] = [];
  let at = HEADER_SIZE;
  for (let left = header.readUInt16BE(4); left > 0; left--) {
    const bytes = readAt(fd, at, HEADER_SIZE);
    if (bytes.length < HEADER_SIZE) throw place.bad('it ends within a payload header', { offset: at });
    const start = at + HEADER_SIZE;
    const storedSize = bytes.readBigUInt64BE(0);
    if (storedSize > BigInt(size - start)) {
      throw place.bad(`a payload says ${storedSize} bytes, and only ${size - start} follow`, { offset: at });
    }
    at = start + Number(storedSize);
    const kind = KINDS[bytes.readUInt8(30)];
    const compression = COMPRESSIONS[bytes.readUInt8(31)];
    if (kind === undefined || compression === undefined) continue;
    const payloadVersion = bytes.readUInt16BE(28);
    if (payloadVersion !== 1) throw place.unsupported(`version ${payloadVersion} of a ${kind} payload; only 1 is read`, { offset: start - 4 });
    const plainSize = bytes.readBigUInt64BE(8);
    if (plainSize > BigInt(Number.MAX_SAFE_INTEGER)) throw place.bad(`the ${kind} payload says that it unpacks to ${plainSize} bytes`, { offset: start - 24 });
    payloads.push({
      kind,
      compression,
      start,
      storedSize: Number(storedSize),
      plainSize: Number(plainSize),
      checksum: bytes.toString('hex', 16, 24),
      records: bytes.readUInt32BE(24),
    });
  }
  if (at < size) throw place.bad(`${size - at} bytes are left over after the last payload`, { offset: at });
  return { type, payloads };
}

/**
 * The unpacked bytes of a payload. Whoever reads must come to the end (`atEnd`): only then are the checksum of the
 * stored bytes and the size of the unpacked ones known to be right.
 */
export async function openPayload(fd: number, payload: StonePayload, place: Place, signal?: AbortSignal): Promise<ByteReader> {
  const inside = place.in(`its ${payload.kind} payload`);
  const stored = fileRange(fd, payload.start, payload.start + payload.storedSize, inside, signal);
  const checked = await withChecksum(stored, payload, inside);
  const settings = { compression: payload.compression, size: payload.storedSize, maxWindowLog: WINDOW_LOG };
  return new ByteReader(ofSize(decompress(checked, settings, inside), payload.plainSize, inside), inside);
}

async function withChecksum(chunks: AsyncIterable<Uint8Array>, payload: StonePayload, place: Place): Promise<AsyncIterable<Uint8Array>> {
  const hasher = (await createXXHash3()).init();
  return (async function* () {
    for await (const chunk of chunks) {
      hasher.update(chunk);
      yield chunk;
    }
    if (hasher.digest() !== payload.checksum) throw place.bad('its checksum is wrong', { offset: payload.start });
  })();
}

async function* ofSize(chunks: AsyncIterable<Uint8Array>, size: number, place: Place): AsyncGenerator<Uint8Array, void, undefined> {
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > size) throw place.bad(`it unpacks to more than the ${size} bytes that its header says`, { offset: size });
    yield chunk;
  }
  if (total < size) throw place.bad(`it unpacks to ${total} bytes, and its header says ${size}`, { offset: total });
}
