import { closeSync, openSync, readSync } from 'node:fs';
import { MossError } from '../../core/error.ts';

/**
 * A run of a file that is served. Opened for each piece: nothing is held open for a peer that asks and does not read.
 *
 * @throws MossError `damaged` where it is not there as it was
 */
export function readRun(path: string, offset: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    if (readSync(fd, bytes, 0, length, offset) === length) return bytes;
  } catch (cause) {
    throw new MossError('damaged', 'what is served cannot be read', { cause });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  throw new MossError('damaged', 'what is served is shorter than it was');
}
