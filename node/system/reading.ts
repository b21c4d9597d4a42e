/** Files of a state that the workers read, each once: begun early, and told whose they were later. */
import type { FileEntry } from '../../core/dag/entry.ts';
import type { FileId } from '../../core/dag/file-id.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { CheckedFile } from '../store/file-store.ts';
import type { Problem } from './look.ts';
import type { System } from './system.ts';
import type { Broken } from './verify.ts';

export interface Reader {
  entry: FileEntry;
  owner: string;
  /** What is wrong with it even when the bytes are right, and what when they are not. */
  right: Problem | undefined;
  wrong: Problem;
}

interface Inode {
  dev: number;
  ino: number;
}

/** A file that was found where it should be, and all that are told what it holds. */
interface Copy extends Inode {
  path: string;
  readers: Reader[];
}

/** Files handed to a worker at a time, and bytes: enough to be worth the message, and all threads busy to the end. */
const BATCH = 256;
const BATCH_BYTES = 16 * 1024 * 1024;

export class Reading {
  /** Distinct files that somebody asked about, and their bytes. */
  files = 0;
  bytes = 0;
  readonly #system: System;
  /** What was read of each content: one inode. */
  readonly #read = new Map<FileId, Inode & { good: boolean }>();
  readonly #begun = new Set<FileId>();
  /** Of each content, the inodes that should have it. */
  readonly #copies = new Map<FileId, Copy[]>();
  readonly #jobs: Promise<void>[] = [];
  #batch: CheckedFile[] = [];
  #batchBytes = 0;

  constructor(system: System) {
    this.#system = system;
  }

  /** Begins to read one file of each content. */
  begin(path: string, { id, size }: Pick<FileEntry, 'id' | 'size'>): void {
    if (this.#begun.has(id)) return;
    this.#begun.add(id);
    this.#batch.push({ path, id, size });
    this.#batchBytes += size;
    if (this.#batch.length >= BATCH || this.#batchBytes >= BATCH_BYTES) this.flush();
  }

  /** Hands the last files to the workers. */
  flush(): void {
    const batch = this.#batch;
    const bytes = this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    if (batch.length === 0) return;
    const job = this.#readBatch(batch, bytes);
    // It shows where the results are asked for.
    job.catch(() => undefined);
    this.#jobs.push(job);
  }

  async #readBatch(batch: CheckedFile[], bytes: number): Promise<void> {
    const { good, dev, ino } = await this.#system.store.read(batch);
    this.#system.onEvent({ type: 'done', unit: 'bytes', count: bytes });
    for (const [i, { id }] of batch.entries()) this.#read.set(id, { good: good[i] === 1, dev: dev[i] ?? 0, ino: ino[i] ?? 0 });
  }

  /** Asks what a file holds: names of one inode have the same content. */
  add({ dev, ino }: Inode, path: string, reader: Reader): void {
    const { id, size } = reader.entry;
    const copies = this.#copies.get(id) ?? [];
    const known = copies.find((copy) => copy.ino === ino && copy.dev === dev);
    if (known !== undefined) {
      known.readers.push(reader);
      return;
    }
    copies.push({ dev, ino, path, readers: [reader] });
    if (copies.length === 1) this.#copies.set(id, copies);
    this.files++;
    this.bytes += size;
    this.begin(path, reader.entry);
  }

  async results(signal: AbortOptions['signal']): Promise<Broken[]> {
    this.flush();
    await Promise.all(this.#jobs);
    signal?.throwIfAborted();
    const broken: Broken[] = [];
    const left: { copy: Copy; file: CheckedFile }[] = [];
    for (const [id, copies] of this.#copies) {
      const read = this.#read.get(id);
      for (const copy of copies) {
        if (read !== undefined && read.ino === copy.ino && read.dev === copy.dev) broken.push(...problemsOf(copy, read.good));
        else left.push({ copy, file: { path: copy.path, id, size: copy.readers[0]?.entry.size ?? 0 } });
      }
    }
    // Copies of their own, and what another package's file lay in the place of.
    const batches = Array.from({ length: Math.ceil(left.length / BATCH) }, (_, i) => left.slice(i * BATCH, (i + 1) * BATCH));
    await Promise.all(
      batches.map(async (batch) => {
        const good = await this.#system.store.check(batch.map(({ file }) => file));
        for (const [i, { copy }] of batch.entries()) broken.push(...problemsOf(copy, good[i] === true));
      }),
    );
    signal?.throwIfAborted();
    return broken;
  }
}

function problemsOf({ readers }: Copy, good: boolean): Broken[] {
  return readers.flatMap(({ entry, owner, right, wrong }) => {
    const problem = good ? right : wrong;
    return problem === undefined ? [] : [{ path: entry.path, package: owner, problem, entry }];
  });
}
