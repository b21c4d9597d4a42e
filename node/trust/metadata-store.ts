import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MossError } from '../../core/error.ts';
import type { MetadataStore } from '../../core/ports/metadata.ts';
import { codeOf, writeDurably } from './write-durably.ts';

/** Trusted metadata in a directory of its own, one file for each role. */
export function directoryMetadataStore(directory: string): MetadataStore {
  const pathOf = (name: string): string => {
    if (name.includes('/') || name.includes('\\') || name === '.' || name === '..') throw new MossError('bug', `not a file name: ${name}`);
    return join(directory, name);
  };
  return {
    async get(name) {
      const path = pathOf(name);
      try {
        return await readFile(path);
      } catch (cause) {
        // A name that the file system cannot have was never written either.
        if (['ENOENT', 'ENAMETOOLONG'].includes(codeOf(cause) ?? '')) return undefined;
        throw new MossError('io', `${path} cannot be read`, { cause });
      }
    },
    async put(name, bytes) {
      await writeDurably(pathOf(name), bytes);
    },
    async delete(name) {
      await rm(pathOf(name), { force: true });
    },
  };
}
