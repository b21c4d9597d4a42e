/** The files of a frame from a source that has files alone: many small wants under way, taken in by the batch. */
import { BLOCK_SIZE } from '../dag/block.ts';
import { parseCid } from '../dag/cid.ts';
import { MossError } from '../error.ts';
import type { AbortSignal } from '../ports/abort.ts';
import type { FileSource, GetOptions } from '../ports/source.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { Links } from './links.ts';
import type { ArrivedUnit, FileUnit } from './want.ts';

/** Files and bytes that are taken in at once. */
const BATCH_UNITS = 256;
const BATCH_BYTES = 512 * 1024;
/** Bytes of one frame's files that are under way at once. */
const UNDER_WAY = 4 * 1024 * 1024;
/** What a small file costs beside its bytes. */
const OVERHEAD = 512;

export interface FilesJob {
  source: FileSource;
  units: readonly FileUnit[];
  links: Links;
  /** For all jobs of a session together. */
  budget: ByteBudget;
  signal: AbortSignal;
  onBytes: (count: number) => void;
  /** Whether something of the source was found right before: until then it is asked for one block's worth. */
  isProven: () => boolean;
  /** Whether a unit is still wanted: another source may have brought it. */
  isWanted: (unit: FileUnit) => boolean;
  /** Takes units in. @throws MossError `bad-block` when one of them is wrong; the others are in */
  take: (units: ArrivedUnit[]) => Promise<void>;
}

/**
 * Gets what the source has of the units.
 *
 * @returns how many of them it does not have
 * @throws MossError as `Source.get` does; what had arrived before is taken in
 */
export async function fetchFiles(job: FilesJob): Promise<number> {
  return new FilesRun(job).run();
}

class FilesRun {
  readonly #job: FilesJob;
  #missed = 0;
  #batch: ArrivedUnit[] = [];
  #batchBytes = 0;
  #underWay = 0;
  /** Batches that are being taken in, one after the other. */
  #taking: Promise<void> = Promise.resolve();
  #failure: { error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(job: FilesJob) {
    this.#job = job;
  }

  async run(): Promise<number> {
    const { units, budget, isProven, isWanted } = this.#job;
    const running: Promise<void>[] = [];
    for (const unit of units) {
      // A peer sends no delta that leaves more of a file.
      const cost = (unit.base === undefined ? unit.bytes : Math.ceil(unit.bytes / 4)) + OVERHEAD;
      while (this.#underWay > 0 && this.#failure === undefined && this.#underWay + cost > (isProven() ? UNDER_WAY : BLOCK_SIZE)) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      if (this.#failure !== undefined) break;
      if (!isWanted(unit)) continue;
      // What waits to be taken in holds room that others may be waiting for.
      if (!budget.hasRoom(cost)) this.#flush();
      await budget.take(cost);
      this.#underWay += cost;
      running.push(this.#fetch(unit, cost));
    }
    await Promise.all(running);
    this.#flush();
    await this.#taking;
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#missed;
  }

  async #fetch(unit: FileUnit, cost: number): Promise<void> {
    const { signal } = this.#job;
    let arrived: ArrivedUnit | undefined;
    try {
      if (this.#failure === undefined) {
        signal.throwIfAborted();
        arrived = await this.#get(unit);
      }
    } catch (error) {
      if (error instanceof MossError && error.code === 'no-source') this.#missed++;
      else this.#failure ??= { error };
    }
    if (arrived === undefined) {
      this.#release(cost);
      return;
    }
    this.#batch.push(arrived);
    this.#batchBytes += cost;
    if (this.#batch.length >= BATCH_UNITS || this.#batchBytes >= BATCH_BYTES || this.#batchBytes >= this.#underWay) this.#flush();
  }

  async #get(unit: FileUnit): Promise<ArrivedUnit> {
    const { source, links, signal, onBytes } = this.#job;
    const options: GetOptions = { signal, onBytes };
    const cid = parseCid(unit.id);
    if (unit.base !== undefined) {
      const request = { file: cid, base: parseCid(unit.base.id), unpacked: unit.base.unpacked !== undefined, bytes: unit.bytes };
      return { ...unit, digest: undefined, content: await source.getDelta(request, options) };
    }
    if (unit.leaf === undefined) return { ...unit, digest: undefined, content: await source.get({ cid, maxBytes: unit.bytes }, options) };
    const digests = await links.of(unit, source, options);
    return { ...unit, digest: digests[unit.leaf], content: await source.getLeaf(cid, unit.leaf, unit.bytes, options) };
  }

  #flush(): void {
    const units = this.#batch;
    const bytes = this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    if (units.length === 0) return;
    this.#taking = this.#take(this.#taking, units, bytes);
  }

  async #take(before: Promise<void>, units: ArrivedUnit[], bytes: number): Promise<void> {
    await before;
    try {
      await this.#job.take(units);
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#release(bytes);
  }

  #release(bytes: number): void {
    this.#underWay -= bytes;
    this.#job.budget.give(bytes);
    // The last ones need not wait for more that will not come.
    if (this.#batchBytes > 0 && this.#batchBytes >= this.#underWay) this.#flush();
    this.#wake?.();
    this.#wake = undefined;
  }
}
