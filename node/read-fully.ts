import { closeSync, openSync, readSync } from 'node:fs';
import { MossError } from '../core/error.ts';

/**
 * Fills `target` from a file, from `offset` bytes on.
 *
 * @returns false when the file ends before
 */
export function readFully(path: string, offset: number, target: Uint8Array): boolean {
  const fd = openSync(path, 'r');
  try {
    for (let at = 0; at < target.length; ) {
      const count = readSync(fd, target, at, target.length - at, offset + at);
      if (count === 0) return false;
      at += count;
    }
    return true;
  } finally {
    closeSync(fd);
  }
}

/** @throws MossError `io` when the file ends before `target` is full */
export function readExactly(path: string, offset: number, target: Uint8Array): void {
  if (!readFully(path, offset, target)) throw new MossError('io', `${path} ended early`);
}
