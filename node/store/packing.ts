/** Unpacked documents on their way through GNU gzip: what it makes of each is checked against its id, and staged. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FileId } from '../../core/dag/file-id.ts';
import { gzipFiles, hasGnuGzip } from '../gzip.ts';
import { fileIdOf } from './files.ts';
import type { Layout } from './layout.ts';

/** Documents that are worth a process of gzip while others are still on their way. */
const BATCH = 16;
/** Processes of gzip at a time: one while frames are unpacked, since the workers keep all cores busy then. */
const LANES = 2;
const FILE_ID = /^b[a-z2-7]{58}$/;

export class Packing {
  readonly #directory: string;
  readonly #stage: (id: FileId, packed: string) => void;
  #waiting: FileId[] = [];
  #refused: FileId[] = [];
  readonly #underWay = new Set<FileId>();
  /** While frames are unpacked: whether gzip runs, and its last run. */
  #isPacking = false;
  #last: Promise<void> = Promise.resolve();

  /** @param stage is given each document that came out right */
  constructor(layout: Layout, stage: (id: FileId, packed: string) => void) {
    this.#directory = layout.recipes;
    this.#stage = stage;
  }

  /** Takes up what an interrupted run left. Half a document is no reason to mistrust gzip: what does not fit is fetched again. */
  async resume(): Promise<void> {
    const names = readdirSync(this.#directory);
    for (const name of names) if (!FILE_ID.test(name)) rmSync(join(this.#directory, name));
    // They were written by a worker, which got the names from a file table.
    const ids = names.filter((name) => FILE_ID.test(name)).map((name) => name as FileId);
    if (ids.length > 0 && hasGnuGzip()) await this.pack(ids);
  }

  /** Notes documents that came: what waits is packed as soon as gzip is done with what came before. */
  add(ids: readonly FileId[]): void {
    this.#waiting.push(...ids);
    if (this.#isPacking || this.#waiting.length < BATCH) return;
    this.#isPacking = true;
    this.#last = this.#packWaiting();
    // A failure shows when all is settled.
    this.#last.catch(() => undefined);
  }

  /**
   * Packs what is left on all cores: no frames are unpacked any more.
   *
   * @returns documents that the gzip of this machine does not give back: they must be fetched as they are
   */
  async settle(): Promise<FileId[]> {
    const ids = [...new Set(this.#waiting.splice(0))];
    const share = ids.length > BATCH ? Math.ceil(ids.length / LANES) : ids.length;
    const batches = [ids.slice(0, share), ids.slice(share)].filter((some) => some.length > 0);
    await Promise.all([this.#last, ...batches.map((some) => this.#packSome(some))]);
    return this.#refused.splice(0);
  }

  /** Packs documents at once. @returns those that gzip did not give back */
  async pack(brought: readonly FileId[]): Promise<FileId[]> {
    // Two frames may bring the same document: the second one after a delta that failed for another file.
    const ids = [...new Set(brought)].filter((id) => !this.#underWay.has(id) && existsSync(join(this.#directory, id)));
    for (const id of ids) this.#underWay.add(id);
    try {
      await gzipFiles(this.#directory, ids);
    } finally {
      for (const id of ids) this.#underWay.delete(id);
    }
    const refused: FileId[] = [];
    for (const id of ids) {
      const packed = join(this.#directory, `${id}.gz`);
      if ((await fileIdOf(packed, statSync(packed).size)) === id) this.#stage(id, packed);
      else {
        rmSync(packed);
        refused.push(id);
      }
    }
    return refused;
  }

  async #packWaiting(): Promise<void> {
    while (this.#waiting.length >= BATCH) await this.#packSome(this.#waiting.splice(0));
    this.#isPacking = false;
  }

  async #packSome(ids: readonly FileId[]): Promise<void> {
    this.#refused.push(...(await this.pack(ids)));
  }
}
