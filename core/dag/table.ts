/**
 * A part of a component: up to some thousand rows of its file table, in path order, and which piece of which file each
 * frame of the part holds. A part stands alone, so a part that did not change is shared between versions.
 *
 * What travels is one zstd frame of the dag-cbor below: columns rather than rows, since they compress better.
 */
import { MossError } from '../error.ts';
import type { Compressor } from '../ports/compressor.ts';
import { parseCid } from './cid.ts';
import { encodeCbor } from './codec.ts';
import type { Entry, FileEntry } from './entry.ts';
import { LEAF_SIZE, type FileId } from './file-id.ts';
import { FILTERS, type Filter } from './filter.ts';
import { RECIPES } from './recipe.ts';

/** Rows in a part, at most. */
export const MAX_ROWS = 16_384;
/** Bytes of a part's table before compression, at most: rows of the longest paths are refused, not swallowed. */
export const MAX_TABLE_SIZE = 16 * 1024 * 1024;

/** A run of bytes of one file (of its unpacked content where it has a recipe) in a frame. */
export interface Piece {
  /** Which file: an index into `files` of the part. */
  file: number;
  /** Bytes from the start of the file. */
  offset: number;
  /** Bytes. */
  length: number;
}

/**
 * Content that a frame is compressed against: a run of a file that the receiver has by then. It is the zstd dictionary
 * of the frame, as raw content (RFC 8878 section 5).
 */
export interface Base {
  id: FileId;
  /** Bytes of the whole file. */
  size: number;
  offset: number;
  /** Bytes of the run: 1 to `MAX_BASE`. */
  length: number;
}

export interface TableFrame {
  /** In the order in which they stand in the frame. */
  pieces: Piece[];
  base?: Base | undefined;
  /** What is undone on the whole content, after unpacking. */
  filter?: Filter | undefined;
}

export interface Table {
  entries: Entry[];
  /** The first row of every distinct content, in path order: what frames speak of. */
  files: FileEntry[];
  frames: TableFrame[];
  /** Frames that bring the files with recipes as they are, for who cannot or need not rebuild them. */
  verbatim: TableFrame[];
}

/** Bytes that a reader must hold beside a frame to undo it. */
export const MAX_BASE = 8 * 1024 * 1024;

/**
 * Level at which tables are compressed: by writers, and by whoever rebuilds a manifest from a delta. Ids are most of a
 * table, and no level shrinks them: 19 saves 3 % over 9 and takes sixteen times as long (measured on 405 tables), which
 * every machine that updates would pay.
 */
export const TABLE_LEVEL = 9;

/** The column of types: one byte a row. */
export const TYPE_FILE = 0;
export const TYPE_SYMLINK = 1;
export const TYPE_DIRECTORY = 2;

/** How many bytes of a file travel: those of the unpacked content where it has a recipe. */
export function travelSize(file: FileEntry): number {
  return file.recipe?.size ?? file.size;
}

/** The distinct contents of rows, by their first row. */
export function distinctFiles(entries: readonly Entry[]): FileEntry[] {
  const seen = new Set<FileId>();
  const files: FileEntry[] = [];
  for (const entry of entries) {
    if (entry.type !== 'file' || seen.has(entry.id)) continue;
    seen.add(entry.id);
    files.push(entry);
  }
  return files;
}

/** The compressed bytes of a table, and how many they are before compression. */
export async function encodeTable(table: Table, compressor: Compressor): Promise<{ bytes: Uint8Array; plain: number }> {
  const { entries, files } = table;
  const modes = [...new Set(entries.map((entry) => (entry.type === 'symlink' ? 0 : entry.mode)))].toSorted((a, b) => a - b);
  if (modes.length > 256) throw new MossError('unsupported', 'more than 256 different modes in one part');
  const rows = entries.filter((entry) => entry.type === 'file');
  const digests = new Uint8Array(rows.length * 32);
  rows.forEach((row, i) => digests.set(parseCid(row.id).multihash.digest, i * 32));
  const plain = encodeCbor({
    paths: entries.map((entry) => entry.path).join('\0'),
    types: Uint8Array.from(entries, (entry) => (entry.type === 'file' ? TYPE_FILE : entry.type === 'symlink' ? TYPE_SYMLINK : TYPE_DIRECTORY)),
    modes,
    mode: Uint8Array.from(entries, (entry) => modes.indexOf(entry.type === 'symlink' ? 0 : entry.mode)),
    digests,
    sizes: rows.map((row) => row.size),
    targets: entries.flatMap((entry) => (entry.type === 'symlink' ? [entry.target] : [])).join('\0'),
    frames: table.frames.map(({ pieces }) =>
      pieces.flatMap((piece) => {
        const file = files[piece.file];
        const whole = file !== undefined && piece.offset === 0 && piece.length === travelSize(file);
        return whole ? [piece.file] : [piece.file, -1 - Math.floor(piece.offset / LEAF_SIZE), piece.length];
      }),
    ),
    ...rareColumns(table),
  });
  return { bytes: await compressor.compress(plain, { level: TABLE_LEVEL }), plain: plain.length };
}

/** Columns that most parts do without: left out when they are empty. */
function rareColumns({ entries, files, frames, verbatim }: Table): Record<string, unknown[]> {
  const columns: Record<string, unknown[]> = {
    owners: entries.flatMap((entry, row) => (entry.owner === undefined ? [] : [{ row, ...entry.owner }])),
    recipes: files.flatMap(({ recipe }, file) => (recipe === undefined ? [] : [[file, RECIPES.indexOf(recipe.name), recipe.size]])),
    verbatim: verbatim.map(({ pieces }) => pieces.map((piece) => piece.file)),
    bases: frames.flatMap(({ base }, frame) =>
      base === undefined ? [] : [{ frame, digest: parseCid(base.id).multihash.digest, size: base.size, offset: base.offset, length: base.length }],
    ),
    filters: frames.flatMap(({ filter }, frame) => (filter === undefined ? [] : [[frame, FILTERS.indexOf(filter)]])),
  };
  return Object.fromEntries(Object.entries(columns).filter(([, column]) => column.length > 0));
}
