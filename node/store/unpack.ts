/** From a block to files in the staging directory: the block is checked before it is unpacked, each file after. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { verifyBlock } from '../../core/dag/block.ts';
import { parseCid } from '../../core/dag/cid.ts';
import { LEAF_SIZE, type FileId } from '../../core/dag/file-id.ts';
import { applyFilter, undoFilter, type Filter } from '../../core/dag/filter.ts';
import type { Base } from '../../core/dag/table.ts';
import type { BaseRun } from '../../core/install/delta.ts';
import type { WantedPiece } from '../../core/install/plan.ts';
import { MossError } from '../../core/error.ts';
import { release } from '../../core/release.ts';
import { nodeHasher } from '../hasher.ts';
import { readFully } from '../read-fully.ts';
import { nodeCompressor } from '../zstd.ts';
import { isContentOf, isIntact } from './files.ts';
import { Layout } from './layout.ts';
import { unpackPieces } from './packed-pieces.ts';
import type { UnpackResult, UnpackTask, WrittenRun } from './tasks.ts';
import { writePart, writeStaged } from './write-staged.ts';

export async function unpackFrame(task: UnpackTask): Promise<UnpackResult> {
  const layout = new Layout(task.root);
  await verifyBlock(parseCid(task.cid), task.bytes, nodeHasher);
  if (task.bases === undefined) {
    const base = task.base && readBase(layout, task.base);
    const result = unpackContent(task, layout, base);
    release(base);
    return result;
  }
  try {
    return unpackContent(task, layout, readBases(layout, task.bases, task.filter));
  } catch (error) {
    // Whose fault it is decides what the user is told.
    throw (await alteredBase(layout, task.bases)) ?? error;
  }
}

function unpackContent(task: UnpackTask, layout: Layout, dictionary: Uint8Array | undefined): UnpackResult {
  const content = nodeCompressor.decompress(task.bytes, { size: task.plain, dictionary });
  if (task.filter !== undefined) {
    if (task.bases === undefined) undoFilter(task.filter, content);
    else for (const { at, offset, length } of unpackPieces(task.pieces)) undoFilter(task.filter, content.subarray(at, at + length), offset);
  }
  const result: UnpackResult = { runs: [], recipes: [] };
  for (const piece of unpackPieces(task.pieces)) {
    const bytes = content.subarray(piece.at, piece.at + piece.length);
    if (bytes.length !== piece.length) throw new MossError('bad-frame', `the frame ${task.cid} is shorter than its table says`);
    if (piece.gzip) {
      writeFileSync(`${layout.recipes}/${piece.id}`, bytes);
      result.recipes.push(piece.id);
    } else if (piece.total <= LEAF_SIZE) {
      checkWhole(piece, bytes);
      writeStaged(layout, piece, bytes);
    } else result.runs.push(writeRun(layout.partial(piece.id), piece, bytes));
  }
  for (const buffer of [task.bytes, content]) release(buffer);
  return result;
}

/** The run of a file that is here: staged a moment ago, or in the store since long. */
function readBase(layout: Layout, { id, offset, length }: Base): Uint8Array {
  const path = [layout.staged(id, false), layout.staged(id, true)].find((each) => existsSync(each)) ?? storedPath(layout, id);
  if (path === undefined) throw new MossError('bad-frame', `a frame is compressed against ${id}, which no frame without a base brings`, { data: { id } });
  // Filled at once: no need to clear it before.
  const bytes = Buffer.allocUnsafeSlow(length);
  readRun(path, offset, bytes);
  return bytes;
}

/**
 * What the last delta was undone with. The memory is used again, and never more than a delta may start from, 32 MiB: the peak of a
 * desktop's update is 30 MB lower than with fresh memory each time (measured).
 */
let scratch = Buffer.alloc(0);

/** Runs of files of the store, one after the other: those of packed documents unpacked. They stay until this is called again. */
export function readBases(layout: Layout, bases: readonly BaseRun[], filter: Filter | undefined): Uint8Array | undefined {
  const size = bases.reduce((sum, { length }) => sum + length, 0);
  if (scratch.length < size) {
    release(scratch);
    // Filled at once: no need to clear it before.
    scratch = Buffer.allocUnsafeSlow(size);
  }
  const dictionary = scratch.subarray(0, size);
  let at = 0;
  for (const { id, unpacked, offset, length } of bases) {
    const target = dictionary.subarray(at, at + length);
    const path = storedPath(layout, id);
    if (path === undefined) throw new MossError('bad-frame', `a delta starts from ${id}, which is not here`, { data: { id } });
    if (unpacked === undefined) readRun(path, offset, target);
    else target.set(gunzip(path, unpacked).subarray(offset, offset + length));
    if (filter !== undefined) applyFilter(filter, target, offset);
    at += length;
  }
  return dictionary.length === 0 ? undefined : dictionary;
}

function storedPath(layout: Layout, id: FileId): string | undefined {
  return [layout.stored(id, false), layout.stored(id, true)].find((each) => existsSync(each));
}

function readRun(path: string, offset: number, target: Uint8Array): void {
  if (readFully(path, offset, target)) return;
  throw new MossError('damaged', `${path} is shorter than it was`, { hint: 'Run `moss verify --repair`.', data: { path } });
}

function gunzip(path: string, size: number): Uint8Array {
  let plain: Uint8Array | undefined;
  try {
    plain = gunzipSync(readFileSync(path), { maxOutputLength: Math.max(1, size) });
  } catch (cause) {
    throw new MossError('damaged', `${path} does not unpack`, { hint: 'Run `moss verify --repair`.', cause, data: { path } });
  }
  if (plain.length !== size) throw new MossError('damaged', `${path} unpacks to other content`, { hint: 'Run `moss verify --repair`.', data: { path } });
  return plain;
}

/** What is wrong with a base that was altered on disk; `undefined` where none was. */
export async function alteredBase(layout: Layout, bases: readonly Pick<BaseRun, 'id' | 'size'>[]): Promise<MossError | undefined> {
  for (const { id, size } of bases) {
    const path = storedPath(layout, id);
    if (path === undefined || (await isIntact({ path, id, size }))) continue;
    return new MossError('damaged', `${path} was altered`, { hint: 'Run `moss verify --repair`.', data: { path } });
  }
  return undefined;
}

function checkWhole(piece: WantedPiece, bytes: Uint8Array): void {
  if (!isContentOf(piece.id, bytes)) {
    throw new MossError('bad-file', `a frame holds other content for ${piece.id} than its table says`, {
      hint: 'The package is broken as it was published: tell its publisher.',
      data: { id: piece.id },
    });
  }
}

function writeRun(path: string, piece: WantedPiece, bytes: Uint8Array): WrittenRun {
  writePart(path, bytes, piece.offset);
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += LEAF_SIZE) leaves.push(nodeHasher.sha256(bytes.subarray(at, at + LEAF_SIZE)));
  return { id: piece.id, offset: piece.offset, length: piece.length, leaves };
}
