/** Large files that come in several pieces, from several threads, over several runs. */
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { fileIdFromLeaves, leafCount, LEAF_SIZE, type FileId } from '../../core/dag/file-id.ts';
import { MossError } from '../../core/error.ts';
import { nodeHasher } from '../hasher.ts';
import type { Layout } from './layout.ts';
import type { Modes } from './modes.ts';
import type { WrittenRun } from './tasks.ts';
import { stageFile } from './write-staged.ts';

type Leaves = (Uint8Array | undefined)[];

export class PartialFiles {
  readonly #layout: Layout;
  readonly #modesOf: (id: FileId) => Modes;
  readonly #files = new Map<FileId, Leaves>();
  /** Files that this run brings something of: others were left by an earlier run that wanted more. */
  readonly #begun = new Set<FileId>();
  /** Files that became complete: a part that comes once more, from another source, is of no use. */
  readonly #complete = new Set<FileId>();
  /** Files of which an earlier run brought something. */
  readonly #resumed = new Set<FileId>();

  constructor(layout: Layout, modesOf: (id: FileId) => Modes) {
    this.#layout = layout;
    this.#modesOf = modesOf;
  }

  /** Whether all leaves of a run are here. */
  has(id: FileId, offset: number, length: number): boolean {
    const leaves = this.#files.get(id);
    if (leaves === undefined) return false;
    for (let at = offset; at < offset + length; at += LEAF_SIZE) if (leaves[at / LEAF_SIZE] === undefined) return false;
    return true;
  }

  /** Whether some of the file came from an interrupted run. */
  isResumed(id: FileId): boolean {
    return this.#resumed.has(id);
  }

  /** The ids of files that this run brought a part of, and that lack something. */
  unfinished(): FileId[] {
    return [...this.#files.keys()].filter((id) => this.#begun.has(id));
  }

  /**
   * Notes a run that was written.
   *
   * @param total bytes of the whole file
   * @returns whether the file is complete now, and staged
   * @throws MossError `bad-file` when it is complete and not what its id says
   */
  async add(run: WrittenRun, total: number): Promise<boolean> {
    if (this.#complete.has(run.id)) return false;
    const line = { id: run.id, offset: run.offset, total, leaves: run.leaves.map((leaf) => Buffer.from(leaf).toString('hex')) };
    this.#begun.add(run.id);
    appendFileSync(this.#layout.journal, `${JSON.stringify(line)}\n`);
    return this.#enter(run.id, run.offset, run.leaves, total);
  }

  /**
   * Takes in what an interrupted run wrote and noted down, as far as it still hashes to what was noted.
   *
   * @returns the files that turned out to be complete
   */
  async resume(): Promise<FileId[]> {
    const complete: FileId[] = [];
    if (!existsSync(this.#layout.journal)) return complete;
    const lines = readFileSync(this.#layout.journal, 'utf8').split('\n');
    // What is added from now on must not become a part of a torn line.
    if (lines.at(-1) !== '') appendFileSync(this.#layout.journal, '\n');
    for (const line of lines) {
      const run = parseLine(line);
      const path = run && this.#layout.partial(run.id);
      if (run === undefined || path === undefined || !existsSync(path)) continue;
      const fd = openSync(path, 'r');
      this.#resumed.add(run.id);
      const good = run.leaves.map((leaf, i) => (leaf.equals(hashLeaf(fd, run.offset + i * LEAF_SIZE, run.total)) ? leaf : undefined));
      closeSync(fd);
      try {
        if (await this.#enter(run.id, run.offset, good, run.total)) complete.push(run.id);
      } catch (error) {
        // A delta may have brought wrong bytes: they are gone now, and the file comes anew.
        if (!(error instanceof MossError) || error.code !== 'bad-file') throw error;
      }
    }
    return complete;
  }

  /** Drops what is here of a file: all of it comes anew. */
  forget(id: FileId): void {
    this.#files.delete(id);
    this.#complete.delete(id);
    this.#resumed.delete(id);
    rmSync(this.#layout.partial(id), { force: true });
  }

  async #enter(id: FileId, offset: number, run: Leaves, total: number): Promise<boolean> {
    const leaves: Leaves = this.#files.get(id) ?? Array.from({ length: leafCount(total) }, () => undefined);
    this.#files.set(id, leaves);
    for (const [i, leaf] of run.entries()) leaves[offset / LEAF_SIZE + i] = leaf;
    const known = leaves.filter((leaf) => leaf !== undefined);
    if (known.length < leaves.length) return false;
    this.#files.delete(id);
    this.#complete.add(id);
    const path = this.#layout.partial(id);
    if ((await fileIdFromLeaves(known, total, nodeHasher)) !== id) {
      this.#complete.delete(id);
      rmSync(path, { force: true });
      throw new MossError('bad-file', `frames hold other content for ${id} than their tables say`, {
        hint: 'The package is broken as it was published: tell its publisher.',
        data: { id },
      });
    }
    stageFile(this.#layout, { id, modes: this.#modesOf(id) }, path);
    return true;
  }
}

/** SHA-256 of one leaf; of nothing where the file is shorter. */
function hashLeaf(fd: number, offset: number, total: number): Uint8Array {
  const leaf = Buffer.alloc(Math.min(LEAF_SIZE, total - offset));
  return readSync(fd, leaf, 0, leaf.length, offset) === leaf.length ? nodeHasher.sha256(leaf) : new Uint8Array();
}

/** A line of a journal may be torn by a power cut: it counts as not written. */
function parseLine(line: string): { id: FileId; offset: number; total: number; leaves: Buffer[] } | undefined {
  if (!line.startsWith('{') || !line.endsWith('}')) return undefined;
  try {
    const { id, offset, total, leaves } = JSON.parse(line) as { id: FileId; offset: number; total: number; leaves: string[] };
    return { id, offset, total, leaves: leaves.map((leaf) => Buffer.from(leaf, 'hex')) };
  } catch {
    return undefined;
  }
}
