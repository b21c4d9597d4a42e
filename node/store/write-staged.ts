/** How files get into the staging directory. */
import { closeSync, futimesSync, openSync, writeSync } from 'node:fs';
import { hasErrno } from '../io-error.ts';
import { looksWhole, STORE_MODE, STORE_MTIME } from './files.ts';

/** A crash may leave half a file here: whoever finds it later hashes it before using it. */
export function writeStaged(path: string, bytes: Uint8Array): void {
  let fd: number;
  try {
    fd = openSync(path, 'w', STORE_MODE);
  } catch (error) {
    // Two sources were asked for it, and the other one was quicker: it is read-only, and was checked as well.
    if (hasErrno(error, 'EACCES') && looksWhole(path, bytes.length)) return;
    throw error;
  }
  try {
    writeAll(fd, bytes, 0);
    futimesSync(fd, STORE_MTIME, STORE_MTIME);
  } finally {
    closeSync(fd);
  }
}

/** Not truncated: other threads write other parts of the same file. */
export function writePart(path: string, bytes: Uint8Array, offset: number): void {
  closeSync(openSync(path, 'a+', 0o644));
  const fd = openSync(path, 'r+');
  try {
    writeAll(fd, bytes, offset);
  } finally {
    closeSync(fd);
  }
}

function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}
