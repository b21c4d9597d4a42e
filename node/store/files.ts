/** Files of the store, as a worker handles them: synchronous calls, which are twice as fast as awaited ones (measured). */
import { chmodSync, closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, readSync, renameSync, statSync, utimesSync, type Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { FILE_ID_LENGTH, fileIdFromDigest, fileIdFromLeaves, LEAF_SIZE, type FileId } from '../../core/dag/file-id.ts';
import { hasErrno } from '../io-error.ts';
import { nodeHasher } from '../hasher.ts';
import { Layout } from './layout.ts';
import { copiesOf, EXECUTABLE, PLAIN, type Modes } from './modes.ts';
import type { AdoptTask, CheckResult, CheckTask, LookResult, LookTask } from './tasks.ts';

/** Seconds: every store file has the same modification time, so any other one tells that somebody wrote to it. */
export const STORE_MTIME = 1;

/** Whether a file of the store looks as it was left: size and modification time. */
export function looksWhole(path: string, size: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && isAsLeft(stat, size);
}

export function isAsLeft(stat: Stats, size: number): boolean {
  return stat.isFile() && stat.size === size && stat.mtimeMs === STORE_MTIME * 1000;
}

/** A little more than a leaf, so that a longer file shows: allocating for each file would take longer than reading. */
let scratch: Buffer | undefined;

/** The id of a file's content; `undefined` where it does not have exactly `size` bytes. */
export async function fileIdOf(path: string, size: number): Promise<FileId | undefined> {
  const fd = openSync(path, READ);
  try {
    return await idOfOpen(fd, size);
  } finally {
    closeSync(fd);
  }
}

async function idOfOpen(fd: number, size: number): Promise<FileId | undefined> {
  const leaves = leavesOf(fd, size);
  const [first] = leaves ?? [];
  if (leaves === undefined || first === undefined) return undefined;
  return leaves.length === 1 ? fileIdFromDigest(first, size) : fileIdFromLeaves(leaves, size, nodeHasher);
}

/** The digests of a file's leaves; `undefined` where it does not have exactly `size` bytes. */
function leavesOf(fd: number, size: number): Uint8Array[] | undefined {
  const bytes = (scratch ??= Buffer.allocUnsafeSlow(LEAF_SIZE + 1));
  const leaves: Uint8Array[] = [];
  for (let left = size; left > 0 || leaves.length === 0; ) {
    const length = Math.min(left, LEAF_SIZE);
    // Of the last leaf, one byte more than there should be is asked for: less than that comes at the end only.
    if (readUpTo(fd, bytes, left <= LEAF_SIZE ? length + 1 : length, length) !== length) return undefined;
    leaves.push(nodeHasher.sha256(bytes.subarray(0, length)));
    left -= length;
  }
  return leaves;
}

/** Whatever has taken the place of a file: neither is a link followed, nor waited for who writes into a pipe. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What there is instead of a file that can be read. */
const UNREADABLE = ['ENOENT', 'ENOTDIR', 'EIO', 'EACCES', 'EISDIR', 'ELOOP', 'ENXIO', 'EAGAIN'] as const;

/** Opens a file to read it; `undefined` where that cannot be done, as with a link. */
export function openToRead(path: string): number | undefined {
  try {
    return openSync(path, READ);
  } catch (error) {
    if (!hasErrno(error, ...UNREADABLE)) throw error;
    return undefined;
  }
}

/** Whether bytes are all of a file of at most a leaf. Ids are compared as texts: to parse one takes ten times as long. */
export function isContentOf(id: FileId, bytes: Uint8Array): boolean {
  return fileIdFromDigest(nodeHasher.sha256(bytes), bytes.length) === id;
}

/** Reads at most `most` bytes, and tries again while it has fewer than `wanted`. */
function readUpTo(fd: number, bytes: Buffer, most: number, wanted: number): number {
  let length = 0;
  let read = 0;
  do {
    read = readSync(fd, bytes, length, most - length, null);
    length += read;
  } while (read > 0 && length < wanted);
  return length;
}

/** Whether a file is what its id says. One that is missing or unreadable is not. */
export async function isIntact({ path, id, size }: CheckTask['files'][number]): Promise<boolean> {
  const fd = openToRead(path);
  if (fd === undefined) return false;
  try {
    return await isContentOfOpen(fd, { id, size });
  } finally {
    closeSync(fd);
  }
}

/** Whether a file that was opened is what an id says, from where it is read next. */
export async function isContentOfOpen(fd: number, { id, size }: { id: FileId; size: number }): Promise<boolean> {
  try {
    return (await idOfOpen(fd, size)) === id;
  } catch (error) {
    if (!hasErrno(error, ...UNREADABLE)) throw error;
    return false;
  }
}

export async function checkFiles(files: CheckTask['files']): Promise<CheckResult> {
  const results: boolean[] = [];
  for (const file of files) results.push(await isIntact(file));
  return results;
}

/** Looks at the store's copies of files, without reading them: at a mode that is not wanted only where one that is has no copy. */
export function lookAtFiles({ root, ids, sizes, modes }: LookTask): LookResult {
  const layout = new Layout(root);
  return Uint8Array.from(sizes, (size, i) => {
    // The main thread had them as ids.
    const id = ids.slice(i * FILE_ID_LENGTH, (i + 1) * FILE_ID_LENGTH) as FileId;
    const wanted = modes[i] ?? 0;
    const found = modesThere(layout, id, size, wanted);
    return found === wanted ? found : found | modesThere(layout, id, size, (PLAIN | EXECUTABLE) & ~wanted);
  });
}

/** The modes among some of which the store has a copy. */
function modesThere(layout: Layout, id: FileId, size: number, modes: Modes): Modes {
  let found = 0;
  if ((modes & PLAIN) !== 0 && looksWhole(layout.stored(id, false), size)) found |= PLAIN;
  if ((modes & EXECUTABLE) !== 0 && looksWhole(layout.stored(id, true), size)) found |= EXECUTABLE;
  return found;
}

/**
 * Moves staged files of one shard under their names in the store; their content is durable by now. Where the store has
 * nothing of the shard yet, as in a new root, the whole directory moves.
 */
export function adoptFiles({ root, shard, files }: AdoptTask): undefined {
  const layout = new Layout(root);
  const [from, to] = [layout.stagingShard(shard), layout.storeShard(shard)];
  const names = files.flatMap(({ id, modes }) => copiesOf(modes).map((executable) => basename(layout.stored(id, executable))));
  // Beside them may lie what another installation had begun.
  if (!existsSync(to) && readdirSync(from).length === names.length) {
    renameSync(from, to);
    return;
  }
  mkdirSync(to, { recursive: true });
  for (const name of names) renameSync(join(from, name), join(to, name));
}

/** Gives a file the mode and the time that store files have. */
export function finish(path: string, mode: number): void {
  chmodSync(path, mode);
  utimesSync(path, STORE_MTIME, STORE_MTIME);
}
