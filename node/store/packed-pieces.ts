/**
 * Pieces on their way to a worker: one text and one array of numbers. As objects, the tens of thousands of pieces of an
 * installation cost a quarter of a second of processor time to hand over (measured).
 */
import { FILE_ID_LENGTH, type FileId } from '../../core/dag/file-id.ts';
import type { WantedPiece } from '../../core/install/plan.ts';
import type { Modes } from './modes.ts';

export interface PackedPieces {
  ids: string;
  /** For each piece: at, offset, length, total, 1 where it has a recipe, and the modes that its file is wanted in. */
  numbers: Float64Array<ArrayBuffer>;
}

/** A piece, and in which modes its file is wanted. */
export interface StoredPiece extends WantedPiece {
  modes: Modes;
}

const COLUMNS = 6;

export function packPieces(pieces: readonly WantedPiece[], modesOf: (id: FileId) => Modes): PackedPieces {
  const numbers = new Float64Array(pieces.length * COLUMNS);
  let ids = '';
  for (const [i, { id, at, offset, length, total, gzip }] of pieces.entries()) {
    ids += id;
    numbers.set([at, offset, length, total, gzip ? 1 : 0, modesOf(id)], i * COLUMNS);
  }
  return { ids, numbers };
}

export function* unpackPieces({ ids, numbers }: PackedPieces): Generator<StoredPiece> {
  for (let i = 0; i * COLUMNS < numbers.length; i++) {
    const row = i * COLUMNS;
    yield {
      // `packPieces` had it as an id.
      id: ids.slice(i * FILE_ID_LENGTH, (i + 1) * FILE_ID_LENGTH) as FileId,
      at: numbers[row] ?? 0,
      offset: numbers[row + 1] ?? 0,
      length: numbers[row + 2] ?? 0,
      total: numbers[row + 3] ?? 0,
      gzip: numbers[row + 4] === 1,
      modes: numbers[row + 5] ?? 0,
    };
  }
}
