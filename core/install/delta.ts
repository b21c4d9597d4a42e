/** Which delta frames can be used here, and whether they or the full frames are fetched for each file. Pure. */
import type { Cid } from '../dag/cid.ts';
import { MAX_DELTA_BASE, type Delta } from '../dag/delta.ts';
import type { FileEntry } from '../dag/entry.ts';
import { Fields } from '../dag/fields.ts';
import { LEAF_SIZE, type FileId } from '../dag/file-id.ts';
import type { Filter } from '../dag/filter.ts';
import { contentSize } from '../dag/frame.ts';
import { decodePieces } from '../dag/read-table.ts';
import { travelSize, type Piece, type Table } from '../dag/table.ts';
import { NEVER, Network } from './min-cut.ts';

/** A run of a file that is here, as it travels. */
export interface BaseRun {
  id: FileId;
  /** Bytes of the file as it lies here. */
  size: number;
  /** Bytes of its unpacked content, where that is what travels: the run is of that. */
  unpacked?: number | undefined;
  offset: number;
  length: number;
}

/** A delta frame with the files that it is about. */
export interface KnownDeltaFrame {
  cid: Cid;
  size: number;
  plain: number;
  /** The files of the new part, and which pieces of them are in the frame. */
  files: readonly FileEntry[];
  pieces: Piece[];
  bases: BaseRun[];
  filter?: Filter | undefined;
}

/**
 * The frames of a delta, where the tables of both ends are here.
 *
 * @param oldTables by part, counted over all components of the old manifest; so are `newTables`
 * @throws MossError `bad-frame` when the delta does not fit the tables
 */
export function knownFrames(delta: Delta, oldTables: ReadonlyMap<number, Table>, newTables: ReadonlyMap<number, Table>): KnownDeltaFrame[] {
  const wrong = new Fields({}, 'bad-frame', 'delta');
  return delta.frames.flatMap(({ ref, part, pieces: numbers, bases: runs, filter }) => {
    const files = newTables.get(part)?.files;
    if (files === undefined || runs.some((run) => !oldTables.has(run.part))) return [];
    const pieces = decodePieces(numbers, files, wrong);
    if (contentSize(pieces) !== ref.plain) throw wrong.wrong('frames', 'as long as their pieces');
    for (const { file, offset, length } of pieces) {
      const size = files[file] === undefined ? -1 : travelSize(files[file]);
      if (offset + length > size || (offset + length < size && length % LEAF_SIZE !== 0)) throw wrong.wrong('frames', 'made of whole leaves');
    }
    const bases = runs.map(({ part: oldPart, file, offset, length }): BaseRun => {
      const entry = oldTables.get(oldPart)?.files[file];
      if (entry === undefined || offset + length > travelSize(entry)) throw wrong.wrong('bases', 'within files of the old version');
      return { id: entry.id, size: entry.size, unpacked: entry.recipe?.size, offset, length };
    });
    if (bases.reduce((sum, { length }) => sum + length, 0) > MAX_DELTA_BASE) throw wrong.wrong('bases', `at most ${MAX_DELTA_BASE} bytes`);
    return [{ cid: ref.cid, size: ref.size, plain: ref.plain, files, pieces, bases, filter }];
  });
}

/** A frame that brings a file whole or in part. */
export interface Way {
  key: string;
  /** Bytes to fetch. */
  size: number;
}

/** A missing file, and the two ways to get it: all frames of one of them are needed. */
export interface Choice {
  id: FileId;
  full: readonly Way[];
  /** Empty where no deltas bring it. */
  deltas: readonly Way[];
}

/**
 * The files to fetch by deltas so that all frames together have the fewest bytes. A frame is shared by many files, so
 * this is the cheapest cut of a network: source → delta frame → file → full frame → sink, where only frames cost.
 */
export function chooseDeltas(choices: readonly Choice[]): Set<FileId> {
  const network = new Network();
  const nodes = new Map<string, number>();
  const nodeOf = ({ key, size }: Way, isDelta: boolean): number => {
    const known = nodes.get(key);
    if (known !== undefined) return known;
    const node = network.add();
    nodes.set(key, node);
    if (isDelta) network.connect(0, node, size);
    else network.connect(node, 1, size);
    return node;
  };
  const files = choices.map(({ id, full, deltas }) => {
    const node = network.add();
    if (deltas.length === 0) network.connect(0, node, NEVER);
    for (const way of deltas) network.connect(nodeOf(way, true), node, NEVER);
    for (const way of full) network.connect(node, nodeOf(way, false), NEVER);
    return { id, node };
  });
  const isFull = network.cut();
  return new Set(files.flatMap(({ id, node }) => (isFull(node) ? [] : [id])));
}

/** For each file that some delta frames bring whole: those frames. */
export function coverOf(frames: readonly KnownDeltaFrame[]): Map<FileId, KnownDeltaFrame[]> {
  const pieces = new Map<FileId, { file: FileEntry; piece: Piece; frame: KnownDeltaFrame }[]>();
  for (const frame of frames) {
    for (const piece of frame.pieces) {
      const file = frame.files[piece.file];
      if (file === undefined) continue;
      const list = pieces.get(file.id) ?? [];
      list.push({ file, piece, frame });
      pieces.set(file.id, list);
    }
  }
  const cover = new Map<FileId, KnownDeltaFrame[]>();
  for (const [id, list] of pieces) {
    let end = 0;
    const used = list.toSorted((a, b) => a.piece.offset - b.piece.offset).filter(({ piece }) => {
      // Pieces that overlap would only come from a publisher who made a mistake: the first one counts.
      if (piece.offset !== end && !(piece.offset === 0 && end === 0)) return false;
      end = piece.offset + piece.length;
      return true;
    });
    const [first] = used;
    if (first !== undefined && end === travelSize(first.file)) cover.set(id, [...new Set(used.map(({ frame }) => frame))]);
  }
  return cover;
}
