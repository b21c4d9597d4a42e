import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { MossError } from '../../core/error.ts';
import { syncPath, writeFileDurably } from '../store/durable.ts';

export interface WriteOptions {
  /** Permission bits; they hold from the first byte on. */
  readonly mode?: number;
}

/**
 * Writes a file, and the directory for it, so that a reader, a crash or a power cut sees all of it or none.
 *
 * @throws MossError `io`, `disk-full`
 */
export async function writeDurably(path: string, bytes: Uint8Array | string, { mode }: WriteOptions = {}): Promise<void> {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileDurably(path, bytes, mode);
  } catch (cause) {
    throw new MossError(codeOf(cause) === 'ENOSPC' || codeOf(cause) === 'EDQUOT' ? 'disk-full' : 'io', `${path} cannot be written`, { cause });
  }
}

/** Makes renames and removals in a directory survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  syncPath(directory);
}

export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
