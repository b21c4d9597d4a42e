import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MossError } from '../../core/error.ts';
import { codeOf, syncDirectory, writeDurably } from './write-durably.ts';
import { draftFile } from './site.ts';

/** The root that waits for signatures, or `undefined`. */
export async function readDraft(dir: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(draftFile(dir));
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw new MossError('io', `${draftFile(dir)} cannot be read`, { cause });
  }
}

export function writeDraft(dir: string, draft: Uint8Array): Promise<void> {
  return writeDurably(draftFile(dir), draft);
}

export async function removeDraft(dir: string): Promise<void> {
  await rm(draftFile(dir), { force: true });
  await syncDirectory(dirname(draftFile(dir)));
}
