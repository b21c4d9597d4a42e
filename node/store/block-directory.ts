import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { parseCid, type Cid } from '../../core/dag/cid.ts';
import type { Blockstore } from '../../core/ports/blockstore.ts';
import { hasErrno } from '../io-error.ts';
import { syncFileSystem } from './durable.ts';

/** Blocks as files named by their CID: what a webseed serves, and where a root keeps manifests and tables. */
export class BlockDirectory implements Blockstore {
  readonly directory: string;
  #count = 0;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  pathOf(cid: Cid): string {
    return join(this.directory, cid.toString());
  }

  async has(cid: Cid): Promise<boolean> {
    return existsSync(this.pathOf(cid));
  }

  async get(cid: Cid): Promise<Uint8Array | undefined> {
    try {
      return readFileSync(this.pathOf(cid));
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Whole or not at all: written under another name, then renamed. */
  async put(cid: Cid, bytes: Uint8Array): Promise<void> {
    const path = this.pathOf(cid);
    if (existsSync(path)) return;
    const temporary = join(this.directory, `.${process.pid}-${threadId}-${this.#count++}.tmp`);
    try {
      writeFileSync(temporary, bytes, { mode: 0o644 });
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  async delete(cid: Cid): Promise<void> {
    rmSync(this.pathOf(cid), { force: true });
  }

  async *list(): AsyncGenerator<Cid> {
    for (const name of readdirSync(this.directory)) if (!name.startsWith('.')) yield parseCid(name);
  }

  async sync(): Promise<void> {
    await syncFileSystem(this.directory);
  }
}
