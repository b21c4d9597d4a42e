import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip as gunzipCallback } from 'node:zlib';
import { MossError } from '../../core/error.ts';
import { readFully } from '../read-fully.ts';

/**
 * A run of a file that is served. Opened for each piece: nothing is held open for a peer that asks and does not read.
 *
 * @param into where its bytes go: new memory, where it is not given
 * @throws MossError `damaged` where it is not there as it was
 */
export function readRun(path: string, offset: number, length: number, into?: Uint8Array): Uint8Array {
  const bytes = into ?? Buffer.allocUnsafe(length);
  let isWhole: boolean;
  try {
    isWhole = readFully(path, offset, bytes);
  } catch (cause) {
    throw new MossError('damaged', 'what is served cannot be read', { cause });
  }
  if (!isWhole) throw new MossError('damaged', 'what is served is shorter than it was');
  return bytes;
}

/**
 * A whole file, which may have megabytes: read while others are served.
 *
 * @throws MossError `damaged` where it is not there as it was
 */
export async function readWhole(path: string, size: number): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const bytes = Buffer.allocUnsafeSlow(size);
      const { bytesRead } = await file.read(bytes, 0, size, 0);
      if (bytesRead === size) return bytes;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new MossError('damaged', 'what is served cannot be read', { cause });
  }
  throw new MossError('damaged', 'what is served is shorter than it was');
}

const GZIP_MAGIC = 0x1f8b;
const LEAST_GZIP = 18;

/** Bytes of what is in a gzip file, as its end says (RFC 1952 section 2.3.1); `undefined` where it is none. */
export function unpackedSize(path: string, size: number): number | undefined {
  if (size < LEAST_GZIP) return undefined;
  const [head, tail] = [Buffer.from(readRun(path, 0, 2)), Buffer.from(readRun(path, size - 4, 4))];
  return head.readUInt16BE() === GZIP_MAGIC ? tail.readUInt32LE() : undefined;
}

const unpack = promisify(gunzipCallback);

/**
 * What is in a gzip file, on a thread of libuv's pool.
 *
 * @param size bytes that it must have: no more are allocated
 * @throws MossError `damaged`
 */
export async function gunzip(bytes: Uint8Array, size: number): Promise<Uint8Array> {
  try {
    const plain = await unpack(bytes, { maxOutputLength: Math.max(1, size) });
    if (plain.length === size) return plain;
  } catch (cause) {
    throw new MossError('damaged', 'what is served does not unpack', { cause });
  }
  throw new MossError('damaged', 'what is served unpacks to less than it says');
}
