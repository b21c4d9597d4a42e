/** Reads the table of a part. It is untrusted, even when signed: every row and every piece is checked. */
import { MossError } from '../error.ts';
import type { Compressor } from '../ports/compressor.ts';
import { decodeCbor } from './codec.ts';
import type { Entry, FileEntry, Owner } from './entry.ts';
import { Fields } from './fields.ts';
import { fileIdFromDigest, LEAF_SIZE, type FileId } from './file-id.ts';
import { FILTERS } from './filter.ts';
import { comparePaths, linkTarget, parsePath, type PackagePath } from './path.ts';
import { RECIPES } from './recipe.ts';
import {
  distinctFiles, MAX_BASE, MAX_ROWS, MAX_TABLE_SIZE, travelSize, TYPE_DIRECTORY, TYPE_FILE, TYPE_SYMLINK,
  type Piece, type Table, type TableFrame,
} from './table.ts';

/**
 * The table of a part.
 *
 * @param size bytes before compression, from the manifest
 * @throws MossError `bad-manifest`, `bad-path`, `bad-frame`
 */
export async function decodeTable(bytes: Uint8Array, size: number, compressor: Pick<Compressor, 'decompress'>): Promise<Table> {
  if (size > MAX_TABLE_SIZE) throw new MossError('bad-manifest', `a file table of ${size} bytes is too large`);
  const plain = await compressor.decompress(bytes, { size });
  const fields = new Fields(decodeCbor(plain, 'bad-manifest', 'a file table'), 'bad-manifest', 'file table');
  const types = fields.bytes('types', MAX_ROWS);
  const paths = splitTexts(fields.text('paths', MAX_TABLE_SIZE), types.length);
  const modeOf = modeColumn(fields, types.length);
  const owners = ownerColumn(fields, types.length);
  const fileRows = types.reduce((count, type) => count + (type === TYPE_FILE ? 1 : 0), 0);
  const linkRows = types.reduce((count, type) => count + (type === TYPE_SYMLINK ? 1 : 0), 0);
  const digests = fields.bytes('digests', fileRows * 32);
  const sizes = fields.ints('sizes');
  const targets = splitTexts(fields.text('targets', MAX_TABLE_SIZE), linkRows);
  if (paths.length !== types.length || digests.length !== fileRows * 32 || sizes.length !== fileRows || targets.length !== linkRows) {
    throw fields.wrong('types', 'as long as the other columns');
  }

  const entries: Entry[] = [];
  let nextFile = 0;
  let nextLink = 0;
  for (const [row, type] of types.entries()) {
    const path = checkedPath(paths[row] ?? '', entries.at(-1)?.path);
    const owner = owners.get(row);
    const mode = modeOf(row);
    if (type === TYPE_FILE) {
      const fileSize = sizes[nextFile] ?? 0;
      const id = fileIdFromDigest(digests.subarray(nextFile * 32, nextFile * 32 + 32), fileSize);
      entries.push({ type: 'file', path, mode, id, size: fileSize, ...(owner && { owner }) });
      nextFile++;
    } else if (type === TYPE_SYMLINK) {
      const target = targets[nextLink++] ?? '';
      linkTarget(path, target);
      entries.push({ type: 'symlink', path, target, ...(owner && { owner }) });
    } else if (type === TYPE_DIRECTORY) {
      entries.push({ type: 'directory', path, mode, ...(owner && { owner }) });
    } else throw fields.wrong('types', 'made of files, links and directories');
  }
  const files = distinctFiles(entries);
  applyRecipes(fields, entries, files);
  const frames: TableFrame[] = fields.list('frames').map((frame) => ({ pieces: decodePieces(frame, files, fields) }));
  readBases(fields, frames);
  readFilters(fields, frames);
  checkCoverage(files, frames, fields);
  return { entries, files, frames, verbatim: readVerbatim(fields, files) };
}

function splitTexts(joined: string, count: number): string[] {
  return joined === '' && count === 0 ? [] : joined.split('\0');
}

function checkedPath(text: string, previous: PackagePath | undefined): PackagePath {
  const path = parsePath(text);
  if (path === undefined || path !== text) throw new MossError('bad-path', `the path ${JSON.stringify(text.slice(0, 200))} is not in normal form`);
  if (previous !== undefined && comparePaths(previous, path) >= 0) {
    throw new MossError('bad-path', `the path ${JSON.stringify(text.slice(0, 200))} is out of order, or there twice`);
  }
  return path;
}

function modeColumn(fields: Fields, rows: number): (row: number) => number {
  const modes = fields.ints('modes', 0, 0o7777, 256);
  const column = fields.bytes('mode', rows);
  if (column.length !== rows) throw fields.wrong('mode', 'as long as the other columns');
  return (row) => {
    const mode = modes[column[row] ?? 0];
    if (mode === undefined) throw fields.wrong('mode', 'within the list of modes');
    return mode;
  };
}

function ownerColumn(fields: Fields, rows: number): Map<number, Owner> {
  const owners = fields.has('owners') ? fields.maps('owners') : [];
  return new Map(
    owners.map((owner) => [
      owner.int('row', 0, rows - 1),
      { uid: owner.int('uid', 0, 2 ** 32 - 1), gid: owner.int('gid', 0, 2 ** 32 - 1), user: owner.text('user', 64), group: owner.text('group', 64) },
    ]),
  );
}

/** A recipe belongs to the content, so every row with that content gets it. */
function applyRecipes(fields: Fields, entries: Entry[], files: FileEntry[]): void {
  const byId = new Map<FileId, FileEntry['recipe']>();
  for (const item of fields.has('recipes') ? fields.list('recipes') : []) {
    if (!Array.isArray(item)) throw fields.wrong('recipes', 'a list of lists');
    const [file, recipe, size] = item as unknown[];
    const target = typeof file === 'number' ? files[file] : undefined;
    const name = typeof recipe === 'number' ? RECIPES[recipe] : undefined;
    if (target === undefined || name === undefined || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || size > LEAF_SIZE) {
      throw fields.wrong('recipes', 'about a file of the part, with a recipe that this version knows');
    }
    byId.set(target.id, { name, size });
  }
  if (byId.size === 0) return;
  for (const entry of entries) if (entry.type === 'file' && byId.has(entry.id)) entry.recipe = byId.get(entry.id);
}

/** A number is a whole file; a number, `-1 - first leaf` and a length are a run of leaves of one. */
export function decodePieces(frame: unknown, files: readonly FileEntry[], fields: Fields): Piece[] {
  if (!Array.isArray(frame) || frame.length > 3 * MAX_ROWS) throw fields.wrong('frames', 'a list of lists');
  const numbers = frame as unknown[];
  const pieces: Piece[] = [];
  for (let i = 0; i < numbers.length; i++) {
    const file = numbers[i];
    const entry = typeof file === 'number' ? files[file] : undefined;
    if (typeof file !== 'number' || entry === undefined) throw fields.wrong('frames', 'about files of the part');
    const next = numbers[i + 1];
    if (typeof next === 'number' && next < 0) {
      const length = numbers[i + 2];
      if (typeof length !== 'number' || !Number.isSafeInteger(length) || length <= 0) throw fields.wrong('frames', 'made of pieces');
      pieces.push({ file, offset: (-1 - next) * LEAF_SIZE, length });
      i += 2;
    } else pieces.push({ file, offset: 0, length: travelSize(entry) });
  }
  return pieces;
}

function readBases(fields: Fields, frames: TableFrame[]): void {
  if (!fields.has('bases')) return;
  for (const item of fields.maps('bases')) {
    const frame = frames[item.int('frame')];
    const digest = item.bytes('digest', 32);
    const size = item.int('size', 1);
    const offset = item.int('offset', 0, size - 1);
    const length = item.int('length', 1, Math.min(MAX_BASE, size - offset));
    if (frame === undefined || digest.length !== 32) throw fields.wrong('bases', 'about frames of the part');
    frame.base = { id: fileIdFromDigest(digest, size), size, offset, length };
  }
}

/** Every file with a recipe stands once in these frames, and no other file does. */
function readVerbatim(fields: Fields, files: readonly FileEntry[]): TableFrame[] {
  const seen = new Set<number>();
  const frames = (fields.has('verbatim') ? fields.list('verbatim') : []).map((frame): TableFrame => {
    if (!Array.isArray(frame)) throw fields.wrong('verbatim', 'a list of lists');
    const pieces = (frame as unknown[]).map((file): Piece => {
      const entry = typeof file === 'number' ? files[file] : undefined;
      if (typeof file !== 'number' || entry?.recipe === undefined || seen.has(file)) throw fields.wrong('verbatim', 'about files with recipes, each once');
      seen.add(file);
      return { file, offset: 0, length: entry.size };
    });
    return { pieces };
  });
  if (seen.size !== files.filter((file) => file.recipe !== undefined).length) throw fields.wrong('verbatim', 'a cover of all files with recipes');
  return frames;
}

function readFilters(fields: Fields, frames: TableFrame[]): void {
  if (!fields.has('filters')) return;
  for (const item of fields.list('filters')) {
    const [at, which] = Array.isArray(item) ? (item as unknown[]) : [];
    const frame = typeof at === 'number' ? frames[at] : undefined;
    const filter = typeof which === 'number' ? FILTERS[which] : undefined;
    if (frame === undefined || filter === undefined) throw fields.wrong('filters', 'about frames of the part, with filters that this version knows');
    frame.filter = filter;
  }
}

/** Each file's bytes are in the frames exactly once, in order, in whole leaves. */
function checkCoverage(files: readonly FileEntry[], frames: readonly TableFrame[], fields: Fields): void {
  const covered = files.map(() => -1);
  for (const piece of frames.flatMap((frame) => frame.pieces)) {
    const file = files[piece.file];
    const before = covered[piece.file] ?? -1;
    if (file === undefined || (before === -1 ? piece.offset !== 0 : piece.offset !== before)) throw fields.wrong('frames', 'a cover of every file, in order');
    const end = piece.offset + piece.length;
    if (end > travelSize(file) || (end < travelSize(file) && end % LEAF_SIZE !== 0)) throw fields.wrong('frames', 'made of whole leaves');
    if (before === travelSize(file)) throw fields.wrong('frames', 'a cover without repetition');
    covered[piece.file] = end;
  }
  for (const [i, file] of files.entries()) {
    if (covered[i] !== travelSize(file)) throw fields.wrong('frames', `a cover of ${file.path}`);
  }
}
