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
