import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MossError } from '../../core/error.ts';
import type { BlockRequest, GetOptions, Source } from '../../core/ports/source.ts';
import { asMossError, hasErrno } from '../io-error.ts';

/** A site on a disk of this machine: a memory stick, a network file system. No more trusted than any other source. */
export class DirectorySource implements Source {
  readonly kind = 'webseed';
  readonly name: string;
  readonly concurrency = 4;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.name = directory;
  }

  async get({ cid, maxBytes }: BlockRequest, { signal, onBytes }: GetOptions = {}): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const path = join(this.#directory, 'blocks', cid.toString());
    try {
      if ((await stat(path)).size > maxBytes) throw new MossError('bad-block', `${path} is longer than it may be`, { data: { path } });
      const bytes = await readFile(path);
      onBytes?.(bytes.length);
      return bytes;
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) throw new MossError('no-source', `there is no ${path}`, { data: { path } });
      throw asMossError(error);
    }
  }
}
