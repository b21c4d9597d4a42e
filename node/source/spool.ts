import { createHash, randomUUID } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileIdFromDigest, fileIdFromLeaves, LEAF_SIZE, type FileId } from '../../core/dag/file-id.ts';
import { MossError } from '../../core/error.ts';
import { nodeHasher } from '../hasher.ts';
import type { Spool, Spooled } from './imported.ts';

/** A spool in a directory: one file for each content, named by its id. */
export class DirectorySpool implements Spool {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  /** Where the content with this id lies. */
  pathOf(id: FileId): string {
    return join(this.#directory, id);
  }

  async add(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, size: number): Promise<Spooled> {
    if (size <= LEAF_SIZE) return this.#addSmall(chunks, size);
    const temporary = join(this.#directory, `${randomUUID()}.tmp`);
    const fd = openSync(temporary, 'wx', 0o600);
    try {
      const leaves: Uint8Array[] = [];
      let hash = createHash('sha256');
      let inLeaf = 0;
      let total = 0;
      for await (const chunk of chunks) {
        total += chunk.length;
        if (total > size) throw wrongLength(size, 'more');
        writeFileSync(fd, chunk);
        for (let at = 0; at < chunk.length; ) {
          const part = chunk.subarray(at, at + LEAF_SIZE - inLeaf);
          hash.update(part);
          inLeaf += part.length;
          at += part.length;
          if (inLeaf === LEAF_SIZE) {
            leaves.push(hash.digest());
            hash = createHash('sha256');
            inLeaf = 0;
          }
        }
      }
      if (total < size) throw wrongLength(size, `only ${total}`);
      if (inLeaf > 0) leaves.push(hash.digest());
      const id = await fileIdFromLeaves(leaves, size, nodeHasher);
      closeSync(fd);
      renameSync(temporary, this.pathOf(id));
      return { id, size };
    } catch (error) {
      try {
        closeSync(fd);
      } catch {
        // closed already: the rename failed
      }
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  async #addSmall(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, size: number): Promise<Spooled> {
    const parts: Uint8Array[] = [];
    let total = 0;
    for await (const chunk of chunks) {
      total += chunk.length;
      if (total > size) throw wrongLength(size, 'more');
      parts.push(chunk);
    }
    if (total < size) throw wrongLength(size, `only ${total}`);
    const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    const id = fileIdFromDigest(await nodeHasher.sha256(bytes), size);
    const path = this.pathOf(id);
    if (existsSync(path)) return { id, size };
    try {
      writeFileSync(path, bytes, { mode: 0o600 });
    } catch (error) {
      // A part of it would pass for the whole later.
      rmSync(path, { force: true });
      throw error;
    }
    return { id, size };
  }
}

function wrongLength(expected: number, got: string): MossError {
  return new MossError('bad-package', `a file should have ${expected} bytes, and has ${got}`);
}
