import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { MossError } from '../../core/error.ts';
import type { MetadataFetcher } from '../../core/ports/metadata.ts';
import { endless } from '../../core/trust/download.ts';
import { codeOf } from './write-durably.ts';

/** Metadata from a directory: a mounted mirror, a stick, the publisher's own site. */
export function directoryMetadataFetcher(directory: string): MetadataFetcher {
  return {
    async fetch(fileName, maxBytes) {
      if (fileName.includes('/') || fileName === '..') throw new MossError('bug', `not a file name: ${fileName}`);
      const path = join(directory, fileName);
      try {
        const file = await open(path, 'r');
        try {
          if ((await file.stat()).size > maxBytes) throw endless(path, maxBytes);
          return await file.readFile();
        } finally {
          await file.close();
        }
      } catch (cause) {
        if (cause instanceof MossError) throw cause;
        if (codeOf(cause) === 'ENOENT') return undefined;
        throw new MossError('source-failed', `${path} cannot be read`, { cause });
      }
    },
  };
}
