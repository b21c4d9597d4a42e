/**
 * Holds the entries of a state against what is on disk, on the workers: it begins with what was read of the tables while
 * more is being read. What a path should hold is known before it is known which package's path it is.
 */
import { statSync } from 'node:fs';
import type { Entry, FileEntry, LinkEntry } from '../../core/dag/entry.ts';
import type { FileId } from '../../core/dag/file-id.ts';
import { isUsers, type TreeEntry } from '../../core/install/tree.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { expectedMode, expectedOwner } from '../link/expected.ts';
import { inspectPart } from '../link/inspect-part.ts';
import { PROBLEMS, type Inode, type Problem } from '../link/look.ts';
import { EntryPacker, type Ids } from '../link/packed-entries.ts';
import { looksWhole } from '../store/files.ts';
import type { CheckedFile } from '../store/file-store.ts';
import { isExecutable } from '../store/modes.ts';
import { INTACT, UNREAD } from '../store/tasks.ts';
import type { System } from './system.ts';
import type { Broken } from './verify.ts';

/** Entries handed to a worker at a time, and bytes: enough to be worth the message, and all threads busy to the end. */
const BATCH = 512;
const BATCH_BYTES = 4 * 1024 * 1024;

export interface InspectionOptions {
  /** Whether every byte is read. */
  reads: boolean;
  /** Whether there is enough to do for threads. */
  threads: boolean;
}

/** The one file that is read of a content. */
interface Reading extends Inode {
  entry: FileEntry;
  /** Whether it holds what it should; `undefined` until it was read, and where it could not be. */
  intact: boolean | undefined;
  /** Whether it stands in the tree. */
  counted: boolean;
}

/** A file whose content nobody has read under this inode. */
interface Unread extends TreeEntry {
  entry: FileEntry;
  problem: Problem | undefined;
  wrong: Problem;
  path: string;
}

export class Inspection {
  /** Distinct files that were read, and their bytes. */
  files = 0;
  bytes = 0;
  /** Bytes of the distinct files that reading was begun of. */
  begunBytes = 0;
  readonly #system: System;
  readonly #directory: string;
  readonly #options: InspectionOptions;
  readonly #isRoot: boolean;
  readonly #owners: Ids[];
  readonly #links = new Set<LinkEntry>();
  readonly #readings = new Map<FileId, Reading>();
  readonly #jobs: Promise<void>[] = [];
  /** What was found: entries that are as they should be are not noted. */
  readonly #problems = new Map<Entry, Problem>();
  /** The inodes of files whose content was read, or should have been, elsewhere. */
  readonly #inodes = new Map<Entry, Inode>();
  #packer = new EntryPacker();
  #packedBytes = 0;

  constructor(system: System, number: number, options: InspectionOptions) {
    const { layout } = system;
    this.#system = system;
    this.#directory = layout.state(number);
    this.#options = options;
    const made = [layout.moss, this.#directory].flatMap((path) => statSync(path, { throwIfNoEntry: false }) ?? []);
    this.#owners = made.map(({ uid, gid }) => ({ uid, gid }));
    this.#isRoot = made.every(({ uid }) => uid === 0);
  }

  /**
   * Begins to look at entries, but for the user's own and for links that were begun; of each content one file is read.
   *
   * @returns whether the workers were given something
   */
  begin(entries: Iterable<Entry>): boolean {
    const given = this.#jobs.length;
    for (const entry of entries) {
      if (isUsers(entry.path)) continue;
      if (entry.type === 'symlink') {
        if (this.#links.has(entry)) continue;
        this.#links.add(entry);
      }
      const reads = this.#options.reads && entry.type === 'file' && !this.#readings.has(entry.id);
      if (reads) {
        this.#readings.set(entry.id, { entry, dev: 0, ino: 0, intact: undefined, counted: false });
        this.#packedBytes += entry.size;
        this.begunBytes += entry.size;
      }
      this.#packer.add(entry, { mode: expectedMode(entry, this.#isRoot), owner: expectedOwner(entry, this.#isRoot), reads });
      if (this.#packer.entries.length >= BATCH || this.#packedBytes >= BATCH_BYTES) this.flush();
    }
    return this.#jobs.length > given;
  }

  /**
   * What is wrong with the entries of a tree; what was begun and is not in it does not matter.
   *
   * @param system rows of the state
   * @param user rows whose originals in the store are looked at
   */
  async results(system: readonly TreeEntry[], user: readonly TreeEntry[], { signal }: AbortOptions): Promise<Broken[]> {
    this.flush();
    const broken: Broken[] = [];
    const [lost] = await Promise.all([this.#readRest(this.#originals(user, broken)), ...this.#jobs, this.#system.store.help({ signal })]);
    broken.push(...lost);
    signal?.throwIfAborted();
    const unread: Unread[] = [];
    for (const { entry, owner } of system) {
      const problem = this.#problems.get(entry);
      if (entry.type !== 'file' || !this.#options.reads || (problem !== undefined && problem !== 'touched')) {
        if (problem !== undefined) broken.push({ path: entry.path, package: owner, problem, entry });
        continue;
      }
      const reading = this.#readings.get(entry.id);
      if (reading?.intact === undefined || (reading.entry !== entry && !isSame(reading, this.#inodes.get(entry)))) {
        unread.push({ entry, owner, problem, wrong: 'altered', path: `${this.#directory}/${entry.path}` });
        continue;
      }
      if (!reading.counted) this.#count(entry);
      reading.counted = true;
      const found = reading.intact ? problem : 'altered';
      if (found !== undefined) broken.push({ path: entry.path, package: owner, problem: found, entry });
    }
    const [rest] = await Promise.all([this.#readRest(unread), this.#system.store.help({ signal })]);
    broken.push(...rest);
    signal?.throwIfAborted();
    return broken;
  }

  /** What the store has of the user's files, as their packages brought them. */
  #originals(user: readonly TreeEntry[], broken: Broken[]): Unread[] {
    return user.flatMap(({ entry, owner }): Unread[] => {
      if (entry.type !== 'file') return [];
      const path = this.#system.layout.stored(entry.id, isExecutable(entry.mode));
      if (looksWhole(path, entry.size)) return this.#options.reads ? [{ entry, owner, problem: undefined, wrong: 'original', path }] : [];
      broken.push({ path: entry.path, package: owner, problem: 'original', entry });
      return [];
    });
  }

  /** Copies of their own, and files in whose place another package's was looked at. */
  async #readRest(unread: readonly Unread[]): Promise<Broken[]> {
    const copies = new Map<string, { file: CheckedFile; rows: Unread[] }>();
    for (const row of unread) {
      const { id, size } = row.entry;
      const inode = this.#inodes.get(row.entry) ?? statSync(row.path, { throwIfNoEntry: false });
      const key = `${id} ${inode === undefined ? row.path : `${inode.dev} ${inode.ino}`}`;
      const known = copies.get(key);
      if (known === undefined) {
        copies.set(key, { file: { path: row.path, id, size }, rows: [row] });
        this.#count(row.entry);
      } else known.rows.push(row);
    }
    const all = [...copies.values()];
    const batches = Array.from({ length: Math.ceil(all.length / BATCH) }, (_, i) => all.slice(i * BATCH, (i + 1) * BATCH));
    const results = await Promise.all(batches.map(async (batch) => this.#system.store.check(batch.map(({ file }) => file))));
    return all.flatMap(({ rows }, i) =>
      rows.flatMap(({ entry, owner, problem, wrong }) => {
        const found = results[Math.floor(i / BATCH)]?.[i % BATCH] === true ? problem : wrong;
        return found === undefined ? [] : [{ path: entry.path, package: owner, problem: found, entry }];
      }),
    );
  }

  #count({ size }: FileEntry): void {
    this.files++;
    this.bytes += size;
  }

  /** Hands what is left to the workers. */
  flush(): void {
    const packer = this.#packer;
    const bytes = this.#packedBytes;
    this.#packer = new EntryPacker();
    this.#packedBytes = 0;
    if (packer.entries.length === 0) return;
    const job = this.#inspect(packer, bytes);
    // It shows where the results are asked for.
    job.catch(() => undefined);
    this.#jobs.push(job);
  }

  async #inspect(packer: EntryPacker, bytes: number): Promise<void> {
    const packed = packer.pack(this.#directory, this.#owners);
    const { problems, content, dev, ino } = await (this.#options.threads ? this.#system.store.inspect(packed) : inspectPart({ kind: 'inspect', packed }));
    if (bytes > 0) this.#system.onEvent({ type: 'done', unit: 'bytes', count: bytes });
    packer.entries.forEach((entry, i) => {
      const problem = PROBLEMS[(problems[i] ?? 0) - 1];
      if (problem !== undefined) this.#problems.set(entry, problem);
      if (!this.#options.reads || entry.type !== 'file') return;
      const reading = this.#readings.get(entry.id);
      if (reading?.entry !== entry || content[i] === UNREAD) {
        this.#inodes.set(entry, { dev: dev[i] ?? 0, ino: ino[i] ?? 0 });
        return;
      }
      reading.dev = dev[i] ?? 0;
      reading.ino = ino[i] ?? 0;
      reading.intact = content[i] === INTACT;
    });
  }
}

function isSame(a: Inode, b: Inode | undefined): boolean {
  return b !== undefined && a.ino === b.ino && a.dev === b.dev;
}
