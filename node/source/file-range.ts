import { readSync } from 'node:fs';
import type { AbortSignal } from '../../core/ports/abort.ts';
import type { Place } from './place.ts';

/** Bytes of one read: large enough that the calls do not count. */
const READ_SIZE = 256 * 1024;

/**
 * The bytes `start` to `end` of an open file, in chunks that nobody writes to again. The reads are synchronous:
 * importers run in worker threads, where waiting for a pool of other threads only adds hops.
 */
export async function* fileRange(
  fd: number,
  start: number,
  end: number,
  place: Place,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = start; at < end; ) {
    signal?.throwIfAborted();
    const chunk = Buffer.allocUnsafeSlow(Math.min(READ_SIZE, end - at));
    const count = readSync(fd, chunk, 0, chunk.length, at);
    if (count === 0) throw place.bad(`it ends here, and should reach byte ${end}`, { offset: at });
    at += count;
    yield chunk.subarray(0, count);
  }
}

/** Exactly `length` bytes from `start`; fewer at the end of the file. */
export function readAt(fd: number, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let got = 0;
  while (got < length) {
    const count = readSync(fd, bytes, got, length - got, start + got);
    if (count === 0) break;
    got += count;
  }
  return bytes.subarray(0, got);
}
