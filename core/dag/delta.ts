/**
 * Deltas: how a machine that holds one version of a package gets another one for fewer bytes. A delta is one dag-cbor
 * block for a pair of manifests. It lists frames whose bases are files of the old version, and brings the new manifest
 * compressed against the old one. Nothing in it is believed: what it gives is held against the new manifest's CID and
 * its files' ids.
 */
import { MossError } from '../error.ts';
import type { Compressor } from '../ports/compressor.ts';
import { MAX_BLOCK_SIZE } from './block.ts';
import type { Cid } from './cid.ts';
import { decodeCbor, encodeCbor } from './codec.ts';
import { Fields } from './fields.ts';
import { FILTERS, type Filter } from './filter.ts';
import { decodeFrameRef, type FrameRef } from './manifest.ts';
import { MAX_TABLE_SIZE, TABLE_LEVEL } from './table.ts';

/** The version of the format: a reader passes over what is newer. */
export const DELTA_VERSION = 1;
/** Bytes of all bases of a frame together: what a reader must hold beside the frame to undo it. */
export const MAX_DELTA_BASE = 32 * 1024 * 1024;
/** Files that the base of one frame is put together from, at most. */
export const MAX_DELTA_RUNS = 4096;
/** Level of the body of a delta, which nobody compresses again. */
const BODY_LEVEL = 19;

/** A run of a file of the old version, as it travels. */
export interface DeltaRun {
  /** Counts the parts of all components of the old manifest, in its order. */
  part: number;
  /** An index into the distinct files of that part. */
  file: number;
  /** Bytes. */
  offset: number;
  length: number;
}

export interface DeltaFrame {
  ref: FrameRef;
  /** Counts the parts of all components of the new manifest, in its order. */
  part: number;
  /** Pieces of files of that part, in the numbers that tables use for them. */
  pieces: number[];
  /** Together, in this order, the dictionary; none where the frame stands alone. */
  bases: DeltaRun[];
  /** Undone on each piece by itself, and applied to each run of the base, with addresses from the start of the file. */
  filter?: Filter | undefined;
}

/** A file table that is a block of its own, unpacked and compressed against an old one, unpacked. */
export interface TableDelta {
  part: number;
  base: number;
  ref: FrameRef;
}

export interface Delta {
  from: Cid;
  to: Cid;
  /** Which zstd compressed the tables, and how: another one may give other bytes, so that the manifest cannot be rebuilt. */
  zstd: string;
  frames: DeltaFrame[];
  tables: TableDelta[];
  /** The new manifest with its tables unpacked: see `expandManifest`. */
  manifest: unknown;
}

/**
 * The bytes of a delta's block.
 *
 * @param oldManifest expanded
 */
export async function encodeDelta(delta: Delta, oldManifest: unknown, compressor: Compressor): Promise<Uint8Array> {
  const dictionary = encodeCbor(oldManifest);
  const body = encodeCbor({
    manifest: delta.manifest,
    frames: delta.frames.map(({ part, pieces, bases, filter }) => [part, pieces, bases.map((run) => [run.part, run.file, run.offset, run.length]), filter === undefined ? -1 : FILTERS.indexOf(filter)]),
    tables: delta.tables.map(({ part, base }) => [part, base]),
  });
  return encodeCbor({
    moss: DELTA_VERSION,
    from: delta.from,
    to: delta.to,
    zstd: delta.zstd,
    frames: delta.frames.map(({ ref }) => ref),
    tables: delta.tables.map(({ ref }) => ref),
    size: body.length,
    body: await compressor.compress(body, { level: BODY_LEVEL, dictionary }),
  });
}

/** Which manifests a delta is about: readable without having either. */
export function deltaPair(bytes: Uint8Array): { from: Cid; to: Cid } {
  const fields = new Fields(decodeCbor(bytes, 'bad-frame', 'a delta'), 'bad-frame', 'delta');
  return { from: fields.cid('from'), to: fields.cid('to') };
}

/** The blocks of its frames and tables: readable without having either manifest. */
export function deltaRefs(bytes: Uint8Array): FrameRef[] {
  const fields = new Fields(decodeCbor(bytes, 'bad-frame', 'a delta'), 'bad-frame', 'delta');
  return [...fields.maps('frames'), ...fields.maps('tables')].map(decodeFrameRef);
}

/**
 * @param oldManifest gives the manifest that the delta starts from, expanded; it rejects where that is not wanted
 * @throws MossError `bad-frame`, `bad-manifest`, `unsupported`
 */
export async function decodeDelta(bytes: Uint8Array, oldManifest: (pair: { from: Cid; to: Cid }) => Promise<unknown>, compressor: Compressor): Promise<Delta> {
  const fields = new Fields(decodeCbor(bytes, 'bad-frame', 'a delta'), 'bad-frame', 'delta');
  const version = fields.int('moss', 1);
  if (version > DELTA_VERSION) throw new MossError('unsupported', `a delta of version ${version}`, { hint: 'Update moss.' });
  const pair = { from: fields.cid('from'), to: fields.cid('to') };
  const dictionary = encodeCbor(await oldManifest(pair));
  const plain = await compressor.decompress(fields.bytes('body', MAX_BLOCK_SIZE), { size: fields.int('size', 1, MAX_TABLE_SIZE), dictionary });
  const body = new Fields(decodeCbor(plain, 'bad-frame', 'the body of a delta'), 'bad-frame', 'delta');
  const refs = fields.maps('frames').map(decodeFrameRef);
  const tableRefs = fields.maps('tables').map(decodeFrameRef);
  const frames = body.list('frames').map((item, i) => decodeFrame(item, refs[i], fields));
  const tables = body.list('tables').map((item, i): TableDelta => {
    const [part, base] = numbersOf(item, fields);
    const ref = tableRefs[i];
    if (part === undefined || base === undefined || ref === undefined) throw fields.wrong('tables', 'made of pairs');
    return { part, base, ref };
  });
  return { ...pair, zstd: fields.text('zstd', 64), frames, tables, manifest: body.value('manifest') };
}

function decodeFrame(item: unknown, ref: FrameRef | undefined, fields: Fields): DeltaFrame {
  const [part, pieces, runs, filter] = Array.isArray(item) ? (item as unknown[]) : [];
  if (ref === undefined || typeof part !== 'number' || typeof filter !== 'number' || !Array.isArray(runs) || runs.length > MAX_DELTA_RUNS) {
    throw fields.wrong('frames', 'made of parts, pieces, bases and filters');
  }
  const bases = runs.map((run): DeltaRun => {
    const [oldPart, file, offset, length] = numbersOf(run, fields);
    if (oldPart === undefined || file === undefined || offset === undefined || length === undefined || length === 0) throw fields.wrong('frames', 'about runs of files');
    return { part: oldPart, file, offset, length };
  });
  if (bases.reduce((sum, { length }) => sum + length, 0) > MAX_DELTA_BASE) throw fields.wrong('frames', `against at most ${MAX_DELTA_BASE} bytes`);
  if (filter !== -1 && FILTERS[filter] === undefined) throw fields.wrong('frames', 'with filters that this version knows');
  return { ref, part, pieces: numbersOf(pieces, fields, -Number.MAX_SAFE_INTEGER), bases, filter: FILTERS[filter] };
}

function numbersOf(item: unknown, fields: Fields, least = 0): number[] {
  if (!Array.isArray(item)) throw fields.wrong('frames', 'made of lists of numbers');
  return (item as unknown[]).map((each) => {
    if (typeof each !== 'number' || !Number.isSafeInteger(each) || each < least) throw fields.wrong('frames', 'made of whole numbers');
    return each;
  });
}

/** The value of a manifest block, with the tables that stand in it unpacked: what compresses against another one. */
export async function expandManifest(value: unknown, compressor: Pick<Compressor, 'decompress'>): Promise<unknown> {
  return mapTables(value, async (table, size) => compressor.decompress(table, { size }));
}

/**
 * The value of a manifest block from an expanded one. The hash of its bytes decides whether it is the right one.
 *
 * @throws MossError `bad-manifest`
 */
export async function collapseManifest(value: unknown, compressor: Pick<Compressor, 'compress'>): Promise<unknown> {
  return mapTables(value, async (table) => compressor.compress(table, { level: TABLE_LEVEL }));
}

async function mapTables(value: unknown, map: (table: Uint8Array, plain: number) => Promise<Uint8Array>): Promise<unknown> {
  const manifest = new Fields(value, 'bad-manifest', 'manifest');
  if (!manifest.has('components')) return manifest.all();
  const mapPart = async (part: Fields): Promise<unknown> => {
    if (part.link('table') !== undefined) return part.all();
    const table = await map(part.bytes('table', MAX_TABLE_SIZE), part.int('tablePlain', 0, MAX_TABLE_SIZE));
    return { ...part.all(), table };
  };
  const components = await Promise.all(
    manifest.maps('components').map(async (component): Promise<unknown> => {
      const parts = await Promise.all(component.maps('parts').map(mapPart));
      return Object.assign({}, component.all(), { parts });
    }),
  );
  return { ...manifest.all(), components };
}
