/** How files get into the staging directory. */
import { closeSync, constants, copyFileSync, futimesSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { hasErrno } from '../io-error.ts';
import { finish, STORE_MTIME } from './files.ts';
import type { Layout } from './layout.ts';
import { copiesOf, EXECUTABLE_MODE, STORE_MODE, type WantedFile } from './modes.ts';

type Staged = Pick<WantedFile, 'id' | 'modes'>;

/** A crash may leave half a file here: whoever finds it later hashes it before using it. */
export function writeStaged(layout: Layout, { id, modes }: Staged, bytes: Uint8Array): void {
  for (const executable of copiesOf(modes)) writeNew(layout.staged(id, executable), executable ? EXECUTABLE_MODE : STORE_MODE, bytes);
}

function writeNew(path: string, mode: number, bytes: Uint8Array): void {
  let fd: number;
  try {
    fd = openSync(path, 'wx', mode);
  } catch (error) {
    // Two sources were asked for it, and the other one was quicker: it was checked as well, or is just being written.
    if (hasErrno(error, 'EEXIST')) return;
    throw error;
  }
  try {
    writeAll(fd, bytes, 0);
    futimesSync(fd, STORE_MTIME, STORE_MTIME);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Gives a whole and verified file the names that it has here. */
export function stageFile(layout: Layout, { id, modes }: Staged, path: string): void {
  const [executable = false, other] = copiesOf(modes);
  finish(path, executable ? EXECUTABLE_MODE : STORE_MODE);
  if (other !== undefined) {
    const copy = `${path}.copy`;
    copyFileSync(path, copy, constants.COPYFILE_FICLONE);
    finish(copy, EXECUTABLE_MODE);
    renameSync(copy, layout.staged(id, other));
  }
  renameSync(path, layout.staged(id, executable));
}

/** Not truncated: other threads write other parts of the same file. */
export function writePart(path: string, bytes: Uint8Array, offset: number): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o644);
  try {
    writeAll(fd, bytes, offset);
  } finally {
    closeSync(fd);
  }
}

function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}
