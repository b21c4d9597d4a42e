/** The content-addressed store of a root: every file once, by its id and execute bits. */
import { chownSync, constants, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { FileEntry } from '../../core/dag/entry.ts';
import type { FileId } from '../../core/dag/file-id.ts';
import { MossError } from '../../core/error.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { inspectPart } from '../link/inspect-part.ts';
import type { PackedEntries } from '../link/packed-entries.ts';
import { syncFileSystem, syncPath } from './durable.ts';
import { checkFiles, finish, lookAtFiles, looksWhole } from './files.ts';
import { shardOf, type Layout } from './layout.ts';
import { copiesOf, EXECUTABLE_MODE, STORE_MODE, wantedFiles, type Modes, type WantedFile } from './modes.ts';
import type { InspectResult, LookTask } from './tasks.ts';
import { checkOnWorkers, type Staging, type StorePool } from './staging.ts';

/** A file of the store. */
export interface StoredFile {
  id: FileId;
  /** Bytes. */
  size: number;
  executable: boolean;
}

/** A file anywhere, and the id that its content should have. */
export interface CheckedFile {
  path: string;
  id: FileId;
  size: number;
}

/** Files that a worker looks at at a time, at least; and parts of more: all are handed over at once, since this thread may be busy then. */
const LOOK_BATCH = 1024;
const LOOK_PARTS = 4;

export class FileStore {
  readonly layout: Layout;
  readonly #pool: StorePool;
  /** Whether nothing is here yet: then nobody needs to look for tens of thousands of files. */
  #empty: boolean;

  constructor(layout: Layout, pool: StorePool) {
    this.layout = layout;
    this.#pool = pool;
    mkdirSync(layout.store, { recursive: true });
    this.#empty = readdirSync(layout.store).length === 0;
  }

  /** Whether a file is in the store as it was left, with either mode. */
  has({ id, size }: Pick<FileEntry, 'id' | 'size'>): boolean {
    if (this.#empty) return false;
    return looksWhole(this.layout.stored(id, false), size) || looksWhole(this.layout.stored(id, true), size);
  }

  /**
   * Looks at the store's copies of many files, on the workers: an update looks at tens of thousands.
   *
   * @returns the modes of which a copy looks as it was left; a mode that is not wanted counts only where one that is has none
   */
  async look(files: Iterable<WantedFile>): Promise<Map<FileId, Modes>> {
    const found = new Map<FileId, Modes>();
    if (this.#empty) return found;
    const all = [...files];
    const each = Math.max(LOOK_BATCH, Math.ceil(all.length / LOOK_PARTS));
    const batches = Array.from({ length: Math.ceil(all.length / each) }, (_, i) => all.slice(i * each, (i + 1) * each));
    await Promise.all(
      batches.map(async (batch) => {
        const task: LookTask = {
          kind: 'look',
          root: this.layout.root,
          ids: batch.map(({ id }) => id).join(''),
          sizes: Float64Array.from(batch, ({ size }) => size),
          modes: Uint8Array.from(batch, ({ modes }) => modes),
        };
        // A few are not worth starting a thread for.
        const copies = batches.length === 1 ? lookAtFiles(task) : await this.#pool.run(task);
        if (!(copies instanceof Uint8Array)) throw new MossError('bug', 'a look without a result');
        for (const [i, { id }] of batch.entries()) found.set(id, copies[i] ?? 0);
      }),
    );
    return found;
  }

  /** Makes the store entries with each mode that is needed, of files that are there with the other one. */
  complete(files: Iterable<FileEntry>): void {
    for (const item of wantedFiles(files).values()) this.#addMissingModes(item);
  }

  /**
   * Makes staged files durable and moves them into the store, with each mode that is needed.
   *
   * @param passing what was staged only to unpack others with, such as dictionaries: it goes, unless it is a file too
   */
  async adopt(staging: Staging, passing: Iterable<FileId> = []): Promise<void> {
    const { wanted } = staging;
    for (const id of passing) if (!wanted.has(id)) staging.discard(id);
    const { staged = [], stored = [] } = Object.groupBy(wanted.values(), ({ id }) => (staging.has(id) ? 'staged' : 'stored'));
    const [copies] = await Promise.all([this.look(stored), staged.length > 0 ? syncFileSystem(this.layout.moss) : undefined]);
    if (staged.length > 0) {
      this.#empty = false;
      const here = staged.map(({ id, modes }) => ({ id, modes: modes & staging.modesHere(id) }));
      // A directory belongs to one job: two threads that rename into one wait for each other.
      const byShard = Map.groupBy(here, ({ id }) => shardOf(id));
      await Promise.all([...byShard].map(([shard, files]) => this.#pool.run({ kind: 'adopt', root: this.layout.root, shard, files })));
      for (const { id, modes } of here) copies.set(id, modes);
      for (const { id } of here) staging.release(id);
    }
    for (const item of wanted.values()) if (((copies.get(item.id) ?? 0) & item.modes) !== item.modes) this.#addMissingModes(item);
    staging.clear();
  }

  /** Hashes files on a worker: for each, whether it is what its id says. Some hundred at a time keep all workers busy. */
  async check(files: CheckedFile[]): Promise<boolean[]> {
    return checkOnWorkers(this.#pool, files);
  }

  /** Looks at entries of a state on a worker, and reads files among them. */
  async inspect(packed: PackedEntries): Promise<InspectResult> {
    const result = await this.#pool.run({ kind: 'inspect', packed });
    if (result === undefined || !('ino' in result)) throw new MossError('bug', 'an inspection without a result');
    return result;
  }

  /** Does what `inspect` and `check` were asked for on this thread too, as long as some of it waits for another one. */
  async help(options: AbortOptions): Promise<void> {
    await this.#pool.help((task) => (task.kind === 'inspect' ? inspectPart(task) : task.kind === 'check' ? checkFiles(task.files) : undefined), options);
  }

  /**
   * Gives a file of the store an inode of its own: what was written to, or is open, through other names no longer is
   * the store's. The right mode and time come with it.
   *
   * @returns false when its content is not what its id says; then nothing was changed
   */
  async renew({ id, size, executable }: StoredFile): Promise<boolean> {
    const path = this.layout.stored(id, executable);
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      copyFileSync(path, temporary, constants.COPYFILE_FICLONE);
      const [whole] = await this.check([{ path: temporary, id, size }]);
      if (whole !== true) return false;
      const { uid, gid } = statSync(this.layout.store);
      // The owner is copied along, where that is allowed.
      if (process.getuid?.() === 0) chownSync(temporary, uid, gid);
      finish(temporary, executable ? EXECUTABLE_MODE : STORE_MODE);
      syncPath(temporary);
      renameSync(temporary, path);
      return true;
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  /** Takes an altered file out of the store, so that it is never linked again. */
  quarantine({ id, executable }: StoredFile): void {
    const path = this.layout.stored(id, executable);
    if (!existsSync(path)) return;
    mkdirSync(this.layout.quarantine, { recursive: true });
    renameSync(path, join(this.layout.quarantine, `${basename(path)}.${Date.now()}`));
  }

  /** Every file of the store with its bytes on disk. */
  *list(): Generator<{ path: string; id: FileId; executable: boolean; bytes: number }> {
    for (const directory of readdirSync(this.layout.store)) {
      for (const name of readdirSync(join(this.layout.store, directory))) {
        const path = join(this.layout.store, directory, name);
        // Names in the store are written by `adopt` alone.
        yield { path, id: name.replace(/\.x$/, '') as FileId, executable: name.endsWith('.x'), bytes: statSync(path).size };
      }
    }
  }

  /** A file that is in the store with the other mode only. */
  #addMissingModes(file: WantedFile): void {
    for (const executable of copiesOf(file.modes)) {
      const target = this.layout.stored(file.id, executable);
      if (looksWhole(target, file.size)) continue;
      const other = this.layout.stored(file.id, !executable);
      if (!looksWhole(other, file.size)) {
        throw new MossError('damaged', `the store has lost ${file.id}`, { hint: 'Run `moss verify --repair`.', data: { id: file.id } });
      }
      mkdirSync(dirname(target), { recursive: true });
      const temporary = `${target}.${process.pid}.tmp`;
      copyFileSync(other, temporary, constants.COPYFILE_FICLONE);
      finish(temporary, executable ? EXECUTABLE_MODE : STORE_MODE);
      renameSync(temporary, target);
      rmSync(temporary, { force: true });
    }
  }
}
