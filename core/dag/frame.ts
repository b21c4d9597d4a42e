/**
 * Frames: what travels. A frame is a raw block holding one zstd frame of one or more pieces of files, grouped by kind
 * and sized by its compressed bytes.
 */
import { MossError } from '../error.ts';
import { BLOCK_SIZE } from './block.ts';
import type { FileEntry } from './entry.ts';
import { LEAF_SIZE } from './file-id.ts';
import { travelSize, type Piece } from './table.ts';

/** Bytes of a frame's content, at most: what a reader must hold to unpack one. */
export const MAX_FRAME_CONTENT = 16 * 1024 * 1024;
/** Bytes of content that a publisher puts into one frame: larger ones gain less than a percent, and cost memory. */
const FRAME_CONTENT = 8 * 1024 * 1024;

/**
 * What sorts next to each other in a frame: files of one kind share more. By extension, without version numbers;
 * programs and libraries are one kind.
 */
export function kindOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.gz$/, '');
  if (/\.so(\.[\d.]+)?$/.test(name)) return 'elf';
  const dot = name.lastIndexOf('.');
  if (dot > 0 && /[a-z]/i.test(name.slice(dot))) return name.slice(dot + 1).toLowerCase();
  return /(^|\/)(s?bin|libexec)\//.test(path) ? 'elf' : 'none';
}

/** The order in which the files of a part go into its frames: by kind, then by path. Indexes into `files`. */
export function frameOrder(files: readonly FileEntry[]): number[] {
  const kinds = files.map((file) => kindOf(file.path));
  return files
    .map((_, i) => i)
    .toSorted((a, b) => {
      const [kindA, kindB] = [kinds[a] ?? '', kinds[b] ?? ''];
      return kindA === kindB ? a - b : kindA < kindB ? -1 : 1;
    });
}

/** The smallest things that a frame is made of, in frame order: whole small files, and single leaves of large ones. */
export function frameUnits(files: readonly FileEntry[]): Piece[] {
  return frameOrder(files).flatMap((file) => {
    const entry = files[file];
    if (entry === undefined) throw new MossError('bug', 'a file outside of its part');
    const size = travelSize(entry);
    const units: Piece[] = [];
    for (let offset = 0; offset < Math.max(size, 1); offset += LEAF_SIZE) {
      units.push({ file, offset, length: Math.min(LEAF_SIZE, size - offset) });
    }
    return units;
  });
}

/** Neighbouring leaves of one file as one piece. */
export function mergePieces(units: readonly Piece[]): Piece[] {
  const pieces: Piece[] = [];
  for (const unit of units) {
    const last = pieces.at(-1);
    if (last !== undefined && last.file === unit.file && last.offset + last.length === unit.offset) last.length += unit.length;
    else pieces.push({ ...unit });
  }
  return pieces;
}

/**
 * Cuts units into the groups of frames, from an estimate of what each would be compressed.
 *
 * @param estimates compressed bytes of each unit, roughly: of the same length as `units`
 */
export function groupUnits(units: readonly Piece[], estimates: readonly number[], target: number = BLOCK_SIZE): Piece[][] {
  const groups: Piece[][] = [];
  let group: Piece[] = [];
  let compressed = 0;
  let plain = 0;
  for (const [i, unit] of units.entries()) {
    const estimate = estimates[i] ?? unit.length;
    if (group.length > 0 && (compressed + estimate > target || plain + unit.length > FRAME_CONTENT)) {
      groups.push(group);
      group = [];
      compressed = 0;
      plain = 0;
    }
    group.push(unit);
    compressed += estimate;
    plain += unit.length;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

/** Bytes that the pieces of a frame have together. */
export function contentSize(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
