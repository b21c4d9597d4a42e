import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MossError } from '../../core/error.ts';

export interface WriteOptions {
  /** Permission bits; they hold from the first byte on. */
  readonly mode?: number;
}

/**
 * Writes a file so that a reader, a crash or a power cut sees all of it or none: a temporary name beside it, its
 * bytes synced, renamed, and the rename synced with the directory.
 *
 * @throws MossError `io`, `disk-full`
 */
export async function writeDurably(path: string, bytes: Uint8Array | string, { mode = 0o644 }: WriteOptions = {}): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(bytes);
      // The mask of the process may have taken bits away, and a key must not have more than it says.
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (cause) {
    // What is told is why the writing failed, not why the cleaning did.
    await rm(temporary, { force: true }).catch(() => {});
    throw new MossError(codeOf(cause) === 'ENOSPC' || codeOf(cause) === 'EDQUOT' ? 'disk-full' : 'io', `${path} cannot be written`, { cause });
  }
}

/** Makes renames and removals in a directory survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
