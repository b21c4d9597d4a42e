/** The staging directory: where files arrive and are verified, and where an interrupted run is taken up again. */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LEAF_SIZE, type FileId } from '../../core/dag/file-id.ts';
import type { FetchPlan, WantedFrame, WantedPiece } from '../../core/install/plan.ts';
import { MossError } from '../../core/error.ts';
import type { Taken } from '../../core/exchange/fetch-deltas.ts';
import type { ArrivedUnit } from '../../core/exchange/want.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { Pool } from '../threads/pool.ts';
import { syncFileSystem } from './durable.ts';
import { SHARDS, type Layout } from './layout.ts';
import { copiesOf, EXECUTABLE, PLAIN, type Modes, type WantedFile } from './modes.ts';
import { packPieces } from './packed-pieces.ts';
import { Packing } from './packing.ts';
import { PartialFiles } from './partial-files.ts';
import type { StoreResult, StoreTask, WrittenRun } from './tasks.ts';
import { stageFile } from './write-staged.ts';

export type StorePool = Pool<StoreTask, StoreResult>;

/** Files handed to a worker at a time. */
const CHECK_BATCH = 512;
/** Bytes that are written before the disk is asked to begin. */
const FLUSH_BYTES = 128 * 1024 * 1024;
/** The same when nothing more arrives, and documents are still packed. */
const SETTLE_FLUSH_BYTES = 8 * 1024 * 1024;
const STAGED = /^(b[a-z2-7]{58})(\.x)?$/;

export class Staging {
  readonly #layout: Layout;
  readonly #pool: StorePool;
  /** What the new state needs; what else comes is only there to unpack others with. */
  readonly wanted: ReadonlyMap<FileId, WantedFile>;
  /** Whole files, and the modes in which each is here. */
  readonly #files = new Map<FileId, Modes>();
  /** What the workers are writing. */
  readonly #writing = new Set<Promise<unknown>>();
  readonly #partial: PartialFiles;
  /** Large files of which a delta brought a run: only all of it together shows whether the base was right. */
  readonly #doubtful = new Set<FileId>();
  readonly #packing: Packing;
  #unflushed = 0;
  #flushing = false;

  constructor(layout: Layout, pool: StorePool, wanted: ReadonlyMap<FileId, WantedFile>) {
    this.#layout = layout;
    this.#pool = pool;
    this.wanted = wanted;
    this.#partial = new PartialFiles(layout, this.#modesOf);
    this.#packing = new Packing(layout, (id, packed) => {
      stageFile(layout, { id, modes: this.#modesOf(id) }, packed);
      this.#came(id);
    });
    this.#makeDirectories();
  }

  /** Whether the whole file is here, verified. */
  has(id: FileId): boolean {
    return this.#files.has(id);
  }

  /** The modes in which a whole file is here. */
  modesHere(id: FileId): Modes {
    return this.#files.get(id) ?? 0;
  }

  /** The file left the staging directory. */
  release(id: FileId): void {
    this.#files.delete(id);
  }

  /** Drops a file that nobody needs any more, if it is here. */
  discard(id: FileId): void {
    for (const executable of copiesOf(this.modesHere(id))) rmSync(this.#layout.staged(id, executable), { force: true });
    this.#files.delete(id);
  }

  /** Removes what is left over, unless it is what another installation had begun: a later run takes that up. */
  clear(): void {
    if (this.#files.size > 0 || this.#partial.unfinished().length > 0) return;
    rmSync(this.#layout.staging, { recursive: true, force: true });
    this.#makeDirectories();
  }

  #makeDirectories(): void {
    mkdirSync(this.#layout.recipes, { recursive: true });
    for (const shard of SHARDS) mkdirSync(this.#layout.stagingShard(shard), { recursive: true });
  }

  /**
   * Takes in what an interrupted run left, as far as it hashes right.
   *
   * @returns how many whole files were taken over
   */
  async resume({ signal }: AbortOptions = {}): Promise<number> {
    const files = [...SHARDS].flatMap((shard) =>
      readdirSync(this.#layout.stagingShard(shard)).flatMap((name) => {
        const [, id, suffix] = STAGED.exec(name) ?? [];
        if (id === undefined) return [];
        const path = join(this.#layout.stagingShard(shard), name);
        // The name was written by a worker, which got it from a file table.
        return [{ path, id: id as FileId, mode: suffix === undefined ? PLAIN : EXECUTABLE, size: statSync(path).size }];
      }),
    );
    for (let at = 0; at < files.length; at += CHECK_BATCH) {
      signal?.throwIfAborted();
      const batch = files.slice(at, at + CHECK_BATCH);
      const good = await checkOnWorkers(this.#pool, batch);
      for (const [i, { id, path, mode }] of batch.entries()) {
        if (good[i] === true) this.#files.set(id, this.modesHere(id) | mode);
        else rmSync(path);
      }
    }
    await this.#packing.resume();
    for (const id of await this.#partial.resume()) this.#came(id);
    return this.#files.size;
  }

  /** What is still to be fetched of a plan. */
  remaining(plan: FetchPlan): WantedFrame[] {
    return plan.frames.flatMap((frame) => {
      const pieces = this.missing(frame.pieces);
      return pieces.length === 0 ? [] : [{ ...frame, pieces }];
    });
  }

  /**
   * Unpacks a block on a worker; what it brings is verified when this resolves.
   *
   * @throws MossError `bad-block`, `bad-frame`, `bad-file`, `disk-full`
   */
  async unpack(frame: WantedFrame, bytes: Uint8Array): Promise<void> {
    const { cid, plain, pieces, base, bases, filter } = frame;
    if (bases !== undefined) for (const { id, total } of pieces) if (total > LEAF_SIZE) this.#doubtful.add(id);
    const { buffer } = bytes;
    const transfer = buffer instanceof ArrayBuffer && bytes.byteLength === buffer.byteLength ? [buffer] : [];
    const result = await this.#write(
      { kind: 'unpack', root: this.#layout.root, cid: cid.toString(), bytes, plain, pieces: packPieces(pieces, this.#modesOf), base, bases, filter },
      transfer,
    );
    if (result === undefined || Array.isArray(result) || !('recipes' in result)) throw new MossError('bug', 'an unpacking without a result');
    for (const piece of pieces) if (!piece.gzip && piece.total <= LEAF_SIZE) this.#came(piece.id);
    for (const run of result.runs) await this.#addRun(run, pieces.find((piece) => piece.id === run.id)?.total ?? 0);
    this.#flushSome(plain);
    this.#packing.add(result.recipes);
  }

  /**
   * Takes in files that came by themselves, on a worker.
   *
   * @returns for each, whether it was what it should be; the others are not here
   */
  async take(units: readonly ArrivedUnit[]): Promise<boolean[]> {
    const taken = units.map(({ id, content, leaf, digest }) => ({ id, modes: this.#modesOf(id), content, leaf: leaf === undefined ? undefined : { index: leaf, sha256: digest ?? new Uint8Array() } }));
    const result = await this.#write({ kind: 'take', root: this.#layout.root, units: taken });
    if (result === undefined || Array.isArray(result) || !('good' in result && 'runs' in result)) throw new MossError('bug', 'a taking in without a result');
    for (const [i, { id, leaf }] of units.entries()) if (result.good[i] === true && leaf === undefined) this.#came(id);
    for (const run of result.runs) await this.#addRun(run, units.find(({ id }) => id === run.id)?.size ?? 0);
    this.#flushSome(units.reduce((sum, { bytes }) => sum + bytes, 0));
    return result.good;
  }

  /** Takes in files of which some came as deltas, on a worker. */
  async takeDeltas(units: readonly ArrivedUnit[]): Promise<Taken[]> {
    const whole = units.filter(({ base }) => base === undefined);
    const good = whole.length === 0 ? [] : await this.take(whole);
    const taken = new Map<ArrivedUnit, Taken>(whole.map((unit, i) => [unit, good[i] === true ? 'right' : 'wrong']));
    const deltas = units.flatMap((unit) => (unit.base === undefined ? [] : [{ unit, base: unit.base }]));
    const patches = deltas.map(({ unit: { id, bytes, content }, base }) => ({ id, modes: this.#modesOf(id), bytes, content, base }));
    const result = await this.#write({ kind: 'patch', root: this.#layout.root, units: patches });
    if (result === undefined || Array.isArray(result) || !('patched' in result)) throw new MossError('bug', 'patching without a result');
    const { patched } = result;
    for (const [i, { unit, base }] of deltas.entries()) {
      taken.set(unit, patched[i] ?? 'wrong');
      if (patched[i] !== 'right' || base.unpacked !== undefined) continue;
      this.#partial.forget(unit.id);
      this.#came(unit.id);
    }
    this.#flushSome(units.reduce((sum, { bytes }) => sum + bytes, 0));
    const documents = deltas.filter(({ unit, base }) => base.unpacked !== undefined && taken.get(unit) === 'right').map(({ unit }) => unit);
    await this.#packing.pack(documents.map(({ id }) => id));
    // Another gzip may give other bytes, so nobody is blamed.
    for (const unit of documents) if (!this.#files.has(unit.id)) taken.set(unit, 'unusable');
    return units.map((unit) => taken.get(unit) ?? 'wrong');
  }

  async #addRun(run: WrittenRun, total: number): Promise<void> {
    if (await this.#partial.add(run, total)) this.#came(run.id);
  }

  readonly #modesOf = (id: FileId): Modes => this.wanted.get(id)?.modes ?? PLAIN;

  #came(id: FileId): void {
    this.#files.set(id, this.#modesOf(id));
  }

  /** What another source brought first may still be under way: it counts as here, so it is waited for in the end. */
  async #write(task: StoreTask, transfer: ArrayBuffer[] = []): Promise<StoreResult> {
    const writing = this.#pool.run(task, transfer);
    this.#writing.add(writing);
    try {
      return await writing;
    } finally {
      this.#writing.delete(writing);
    }
  }

  /** What is not here of the pieces of a frame. */
  missing(pieces: readonly WantedPiece[]): WantedPiece[] {
    return pieces.filter(({ id, offset, length }) => !this.#files.has(id) && !this.#partial.has(id, offset, length));
  }

  /** Whether wrong bytes in this file may be a delta's fault, of this run or an interrupted one. */
  isDoubtful(id: FileId): boolean {
    return this.#doubtful.has(id) || this.#partial.isResumed(id);
  }

  /** Drops what is here of large files, since they come anew and whole. */
  forget(ids: Iterable<FileId>): void {
    for (const id of ids) {
      this.#doubtful.delete(id);
      this.#partial.forget(id);
    }
  }

  /**
   * Waits for what is under way after the last block.
   *
   * @returns files that the gzip of this machine does not give back: they must be fetched as they are
   */
  async settle(): Promise<FileId[]> {
    await Promise.allSettled(this.#writing);
    // The processor packs documents while the disk takes what is there.
    this.#flush(SETTLE_FLUSH_BYTES);
    const refused = await this.#packing.settle();
    const [unfinished] = this.#partial.unfinished();
    if (unfinished !== undefined) throw new MossError('bug', `${unfinished} is not complete`);
    return refused;
  }

  /** Lets the disk work while more arrives, so that little is left to write when all is here. */
  #flushSome(bytes: number): void {
    this.#unflushed += bytes;
    this.#flush(FLUSH_BYTES);
  }

  #flush(least: number): void {
    if (this.#unflushed < least || this.#flushing) return;
    this.#unflushed = 0;
    this.#flushing = true;
    void syncFileSystem(this.#layout.staging).finally(() => {
      this.#flushing = false;
    });
  }
}

/** Which of the files are what their ids say. */
export async function checkOnWorkers(pool: StorePool, files: { path: string; id: FileId; size: number }[]): Promise<boolean[]> {
  const result = await pool.run({ kind: 'check', files });
  if (!Array.isArray(result)) throw new MossError('bug', 'a check without a result');
  return result;
}
