/** The layout and index payloads of a `.stone`: where its files go, and where their content lies. */
import type { ImportLimits } from './imported.ts';
import type { ByteReader } from './byte-reader.ts';
import type { Place } from './place.ts';
import type { StonePayload } from './stone-container.ts';

export interface StoneEntry {
  kind: 'file' | 'symlink' | 'directory';
  uid: number;
  gid: number;
  /** The whole `st_mode`. */
  mode: number;
  /** XXH3-128 in hex for a file, the text of a symlink, empty for a directory. */
  source: string;
  /** Below `usr`. */
  path: string;
  /** Where its record starts in the unpacked payload, in bytes. */
  offset: number;
}

/** Where one content lies in the unpacked content payload, in bytes. */
export interface StoneRange {
  start: number;
  end: number;
  /** XXH3-128 in hex. */
  digest: string;
}

/** XXH3-128 of no bytes. */
export const EMPTY_DIGEST = '99aa06d3014798d86001c324468d497f';

const LAYOUT_HEADER = 32;
const INDEX_RECORD = 32;
const DIGEST_SIZE = 16;

const KINDS: Readonly<Record<number, StoneEntry['kind']>> = { 1: 'file', 2: 'symlink', 3: 'directory' };
const REFUSED: Readonly<Record<number, string>> = { 4: 'a character device', 5: 'a block device', 6: 'a fifo (pipe)', 7: 'a socket' };

/** @throws MossError `bad-package`, `bad-path` */
export async function readStoneLayout(reader: ByteReader, payload: StonePayload, limits: ImportLimits, place: Place): Promise<StoneEntry[]> {
  limitRecords(payload, limits, place);
  const entries: StoneEntry[] = [];
  for (let left = payload.records; left > 0; left--) {
    const offset = reader.offset;
    const header = Buffer.from(await reader.read(LAYOUT_HEADER, 'a record'));
    const source = Buffer.from(await reader.read(header.readUInt16BE(16), 'a record'));
    const target = Buffer.from(await reader.read(header.readUInt16BE(18), 'a record'));
    const path = target.toString('utf8').replace(/\0+$/, '');
    const type = header.readUInt8(20);
    const kind = KINDS[type];
    if (kind === undefined) {
      const what = REFUSED[type] ?? `of the unknown type ${type}`;
      throw place.bad(`it is ${what}, which no package may bring`, { offset, path });
    }
    if (path.startsWith('/')) throw place.badPath('it is absolute, and should be relative to usr', path);
    if (source.length !== DIGEST_SIZE && kind === 'file') throw place.bad(`a digest of ${source.length} bytes; it should have ${DIGEST_SIZE}`, { offset, path });
    entries.push({
      kind,
      uid: header.readUInt32BE(0),
      gid: header.readUInt32BE(4),
      mode: header.readUInt32BE(8),
      source: kind === 'file' ? source.toString('hex') : source.toString('utf8').replace(/\0+$/, ''),
      path,
      offset,
    });
  }
  await mustEnd(reader, payload, place);
  return entries;
}

/**
 * The ranges in the order of the content, each once; without the empty ones.
 *
 * @param contentSize bytes of the unpacked content
 * @throws MossError `bad-package` when ranges overlap, or leave the content
 */
export async function readStoneRanges(
  reader: ByteReader,
  payload: StonePayload,
  contentSize: number,
  limits: ImportLimits,
  place: Place,
): Promise<StoneRange[]> {
  limitRecords(payload, limits, place);
  const ranges: StoneRange[] = [];
  for (let left = payload.records; left > 0; left--) {
    const offset = reader.offset;
    const record = Buffer.from(await reader.read(INDEX_RECORD, 'a record'));
    const [start, end] = [record.readBigUInt64BE(0), record.readBigUInt64BE(8)];
    if (start > end || end > BigInt(contentSize)) {
      throw place.bad(`a file from ${start} to ${end}, of a content of ${contentSize} bytes`, { offset });
    }
    if (start === end) {
      if (record.toString('hex', 16, 32) !== EMPTY_DIGEST) throw place.bad('an empty file with the digest of another', { offset });
      continue;
    }
    ranges.push({ start: Number(start), end: Number(end), digest: record.toString('hex', 16, 32) });
  }
  await mustEnd(reader, payload, place);
  return inOrder(ranges, place);
}

function inOrder(ranges: StoneRange[], place: Place): StoneRange[] {
  const sorted = ranges.toSorted((a, b) => a.start - b.start || a.end - b.end);
  return sorted.filter((range, i) => {
    const before = sorted[i - 1];
    if (before === undefined || range.start >= before.end) return true;
    if (range.start === before.start && range.end === before.end && range.digest === before.digest) return false;
    throw place.bad(`the files from ${before.start} to ${before.end} and from ${range.start} to ${range.end} overlap`);
  });
}

function limitRecords(payload: StonePayload, limits: ImportLimits, place: Place): void {
  if (payload.records > limits.entries) throw place.bad(`more than ${limits.entries} records`, { offset: payload.start });
}

async function mustEnd(reader: ByteReader, payload: StonePayload, place: Place): Promise<void> {
  if (!(await reader.atEnd())) throw place.bad(`bytes follow its ${payload.records} records`, { offset: reader.offset });
}
