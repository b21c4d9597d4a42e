/** Files of the store, as a worker handles them: synchronous calls, which are twice as fast as awaited ones (measured). */
import { chmodSync, closeSync, copyFileSync, constants, lstatSync, mkdirSync, openSync, readFileSync, readSync, renameSync, statSync, utimesSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { FILE_ID_LENGTH, fileIdFromDigest, fileIdFromLeaves, LEAF_SIZE, type FileId } from '../../core/dag/file-id.ts';
import { hasErrno } from '../io-error.ts';
import { nodeHasher } from '../hasher.ts';
import { Layout } from './layout.ts';
import { EXECUTABLE, PLAIN, type AdoptTask, type CheckResult, type CheckTask, type LookResult, type LookTask, type ReadResult, type ReadTask } from './tasks.ts';

/** Store files are read-only; the executable ones have the execute bits too. */
export const STORE_MODE = 0o444;
export const EXECUTABLE_MODE = 0o555;
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

/** The id of a file's content; `undefined` where it cannot be read whole. */
export async function fileIdOf(path: string, size: number): Promise<FileId | undefined> {
  if (size <= LEAF_SIZE) {
    const bytes = readFileSync(path);
    return bytes.length === size ? fileIdFromDigest(nodeHasher.sha256(bytes), size) : undefined;
  }
  const fd = openSync(path, 'r');
  try {
    const leaves: Uint8Array[] = [];
    const leaf = Buffer.allocUnsafe(LEAF_SIZE);
    for (let at = 0; at < size; at += LEAF_SIZE) {
      const length = Math.min(LEAF_SIZE, size - at);
      if (readSync(fd, leaf, 0, length, at) !== length) return undefined;
      leaves.push(nodeHasher.sha256(leaf.subarray(0, length)));
    }
    return await fileIdFromLeaves(leaves, size, nodeHasher);
  } finally {
    closeSync(fd);
  }
}

/** What there is instead of a file that can be read. */
const UNREADABLE = ['ENOENT', 'ENOTDIR', 'EIO', 'EACCES', 'EISDIR', 'ELOOP', 'ENXIO', 'EAGAIN'] as const;

/** Reads every file and says whether it is what its id says. A file that is missing or unreadable is not. */
export async function checkFiles(files: CheckTask['files']): Promise<CheckResult> {
  const results: boolean[] = [];
  for (const { path, id, size } of files) {
    try {
      results.push((size <= LEAF_SIZE ? smallIdOf(path, size) : statSync(path).size === size && (await fileIdOf(path, size))) === id);
    } catch (error) {
      if (!hasErrno(error, ...UNREADABLE)) throw error;
      results.push(false);
    }
  }
  return results;
}

/** Reads every file, and says whether it is what its id says and which inode it was. */
export async function readFiles({ files }: ReadTask): Promise<ReadResult> {
  const result: ReadResult = { good: new Uint8Array(files.length), dev: new Float64Array(files.length), ino: new Float64Array(files.length) };
  for (const [i, { path, id, size }] of files.entries()) {
    try {
      const stat = lstatSync(path);
      if (!stat.isFile()) continue;
      [result.dev[i], result.ino[i]] = [stat.dev, stat.ino];
      const read = stat.size !== size ? undefined : size <= LEAF_SIZE ? smallIdOf(path, size) : await fileIdOf(path, size);
      result.good[i] = read === id ? 1 : 0;
    } catch (error) {
      if (!hasErrno(error, ...UNREADABLE)) throw error;
    }
  }
  return result;
}

/** A little more than the largest small file, so that a longer one shows. */
let scratch: Buffer | undefined;

/** The id of a file of at most one leaf, read into the same memory each time: allocating would take longer than reading. */
function smallIdOf(path: string, size: number): FileId | undefined {
  scratch ??= Buffer.allocUnsafeSlow(LEAF_SIZE + 1);
  // Whatever has taken its place: neither is a link followed, nor waited for who writes into a pipe.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    let length = 0;
    let read = 0;
    do {
      // One byte more than there should be is asked for: less than that comes at the end only.
      read = readSync(fd, scratch, length, size + 1 - length, length);
      length += read;
    } while (read > 0 && length < size);
    return length === size ? fileIdFromDigest(nodeHasher.sha256(scratch.subarray(0, size)), size) : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Looks at the store's copies of files, without reading them. */
export function lookAtFiles({ root, ids, sizes }: LookTask): LookResult {
  const layout = new Layout(root);
  return Uint8Array.from(sizes, (size, i) => {
    // The main thread had them as ids.
    const id = ids.slice(i * FILE_ID_LENGTH, (i + 1) * FILE_ID_LENGTH) as FileId;
    return (looksWhole(layout.stored(id, false), size) ? PLAIN : 0) | (looksWhole(layout.stored(id, true), size) ? EXECUTABLE : 0);
  });
}

/** Moves staged files under their names in the store; their content is durable by now. */
export function adoptFiles({ root, files }: AdoptTask): undefined {
  const layout = new Layout(root);
  const made = new Set<string>();
  for (const { id, lane, plain, executable } of files) {
    const staged = layout.staged(id, lane);
    if (executable) {
      const target = layout.stored(id, true);
      ensureDirectory(dirname(target), made);
      if (plain) {
        copyFileSync(staged, `${staged}.x`, constants.COPYFILE_FICLONE);
        finish(`${staged}.x`, EXECUTABLE_MODE);
        renameSync(`${staged}.x`, target);
      } else {
        chmodSync(staged, EXECUTABLE_MODE);
        renameSync(staged, target);
      }
    }
    if (plain) {
      const target = layout.stored(id, false);
      ensureDirectory(dirname(target), made);
      renameSync(staged, target);
    }
  }
  return undefined;
}

/** Gives a file the mode and the time that store files have. */
export function finish(path: string, mode: number): void {
  chmodSync(path, mode);
  utimesSync(path, STORE_MTIME, STORE_MTIME);
}

function ensureDirectory(path: string, made: Set<string>): void {
  if (made.has(path)) return;
  mkdirSync(path, { recursive: true });
  made.add(path);
}
