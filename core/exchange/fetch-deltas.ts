/**
 * Files from peers as deltas against what is here, before anything is asked for whole. It saves bytes and must not cost
 * time: who says nothing, or is not done in time, is left, and what did not come then comes whole.
 */
import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { FileSource } from '../ports/source.ts';
import { abortController } from './abort-controller.ts';
import { ByteBudget } from './byte-budget.ts';
import { fetchFiles } from './fetch-files.ts';
import { Links } from './links.ts';
import { keyOf, type ArrivedUnit, type FileUnit } from './want.ts';

/**
 * What became of a unit: `unusable` where its base, or this machine, is not as it should be, so that nobody can be blamed
 * for what comes out.
 */
export type Taken = 'right' | 'wrong' | 'unusable';

export interface DeltasJob extends AbortOptions {
  sources: readonly FileSource[];
  /** Those without a base are asked for as they are. */
  units: readonly FileUnit[];
  clock: Clock;
  hasher: Hasher;
  /** Milliseconds for all of it, at most. */
  patience: number;
  /** Takes units in, and says of each what it was. */
  take: (units: readonly ArrivedUnit[], source: FileSource) => Promise<Taken[]>;
  /** Told of a unit that no source sends: others may be of no use without it. */
  onRefused: (unit: FileUnit) => void;
  isOfUse: (unit: FileUnit) => boolean;
  onBytes: (source: FileSource, count: number) => void;
  onBan: (source: FileSource, error: MossError) => void;
}

/**
 * Milliseconds without anything from any peer, after which no more is waited for; and bytes a millisecond that a slow
 * machine works through, which is longer silent for that.
 */
const SILENCE = 400;
const SLOW_WORK = 20_000;
const TICK = 50;
/** Units and bytes that are asked of one peer before another one may have the next. */
const RUN_UNITS = 64;
const RUN_BYTES = 8 * 1024 * 1024;
/** Bytes under way to all peers together. */
const UNDER_WAY = 16 * 1024 * 1024;
/** A file of so few bytes comes as it is from a peer that makes no delta of it. */
const SMALL = 16 * 1024;

/** Gets what peers send of the units: what did not come is for others. It only rejects with what the caller throws. */
export async function fetchDeltas(job: DeltasJob): Promise<void> {
  await new DeltasRun(job).run();
}

class DeltasRun {
  readonly #job: DeltasJob;
  readonly #left = new Map<string, FileUnit>();
  readonly #refused = new Map<FileSource, Set<string>>();
  readonly #out = new Set<FileSource>();
  readonly #proven = new Set<FileSource>();
  readonly #links: Links;
  readonly #budget = new ByteBudget(UNDER_WAY);
  readonly #stop = abortController();
  #lastProgress: number;
  /** Bytes of the largest delta that somebody may be making. */
  #work = 0;
  #failure: { error: unknown } | undefined;

  constructor(job: DeltasJob) {
    this.#job = job;
    // The largest first: whether deltas are made of these decides whether the others are of any use.
    for (const unit of job.units.toSorted((a, b) => b.bytes - a.bytes)) this.#left.set(keyOf(unit), unit);
    this.#links = new Links(job.hasher);
    this.#lastProgress = job.clock.now();
  }

  async run(): Promise<void> {
    const { sources, signal } = this.#job;
    if (sources.length === 0 || this.#left.size === 0) return;
    signal?.throwIfAborted();
    const onAbort = (): void => this.#stop.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort);
    this.#watch().catch(() => undefined);
    try {
      // What one of them did not send, another one may.
      while (sources.some((source) => this.#mayAsk(source))) await Promise.all(sources.map((source) => this.#serve(source)));
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#stop.abort(new MossError('aborted', 'no more deltas are wanted'));
    }
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Ends what takes too long: the rest comes as it would have without peers. */
  async #watch(): Promise<void> {
    const { clock, patience } = this.#job;
    const end = clock.now() + patience;
    for (;;) {
      await clock.sleep(TICK, { signal: this.#stop.signal });
      const now = clock.now();
      if (now < end && now - this.#lastProgress < SILENCE + this.#work / SLOW_WORK) continue;
      this.#stop.abort(new MossError('source-failed', 'deltas take too long'));
      return;
    }
  }

  async #serve(source: FileSource): Promise<void> {
    try {
      const { deltas } = source.holds ?? (await source.greet({ signal: this.#stop.signal }));
      if (!deltas) this.#out.add(source);
      for (let run = this.#next(source); run.length > 0; run = this.#next(source)) await this.#fetch(source, run);
    } catch (error) {
      this.#out.add(source);
      if (!(error instanceof MossError)) this.#fail(error);
      else if (error.code === 'bad-block' || error.code === 'bad-message') this.#job.onBan(source, error);
      else if (error.code !== 'source-failed' && error.code !== 'no-source' && !this.#stop.signal.aborted) this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop.abort(error);
  }

  #mayAsk(source: FileSource): boolean {
    if (this.#out.has(source) || this.#stop.signal.aborted) return false;
    const refused = this.#refused.get(source);
    return [...this.#left].some(([key, unit]) => refused?.has(key) !== true && this.#job.isOfUse(unit));
  }

  /** What to ask a source for next; nobody else is asked for it meanwhile. */
  #next(source: FileSource): FileUnit[] {
    const run: FileUnit[] = [];
    if (this.#out.has(source) || this.#stop.signal.aborted) return run;
    const refused = this.#refused.get(source);
    const most = Math.min(RUN_UNITS, Math.ceil(this.#left.size / (this.#job.sources.length - this.#out.size)));
    let bytes = 0;
    for (const [key, unit] of this.#left) {
      if (run.length >= most || bytes >= RUN_BYTES) break;
      if (refused?.has(key) === true || !this.#job.isOfUse(unit)) continue;
      this.#left.delete(key);
      run.push(unit);
      bytes += unit.bytes;
      this.#work = Math.max(this.#work, unit.base === undefined ? 0 : unit.bytes + (unit.base.unpacked ?? unit.base.size));
    }
    return run;
  }

  async #fetch(source: FileSource, run: readonly FileUnit[]): Promise<void> {
    const open = new Map(run.map((unit) => [keyOf(unit), unit]));
    try {
      await this.#ask(source, run, open);
      // No delta, as it would save nothing of so little, or cannot be made: as it is, then.
      const small: FileUnit[] = [];
      for (const { id, size, leaf, base } of open.values()) if (base !== undefined && size <= SMALL) small.push({ id, size, leaf, bytes: size });
      if (small.length > 0) await this.#ask(source, small, open);
    } finally {
      const refused = this.#refused.get(source) ?? new Set();
      this.#refused.set(source, refused);
      for (const [key, unit] of open) {
        refused.add(key);
        this.#left.set(key, unit);
        if (this.#job.sources.every((each) => this.#out.has(each) || this.#refused.get(each)?.has(key) === true)) this.#job.onRefused(unit);
      }
    }
  }

  async #ask(source: FileSource, units: readonly FileUnit[], open: Map<string, FileUnit>): Promise<void> {
    await fetchFiles({
      source,
      units,
      links: this.#links,
      budget: this.#budget,
      signal: this.#stop.signal,
      onBytes: (count) => {
        this.#lastProgress = this.#job.clock.now();
        this.#job.onBytes(source, count);
      },
      isProven: () => this.#proven.has(source),
      isWanted: (unit) => this.#job.isOfUse(unit),
      take: async (arrived) => {
        const taken = await this.#job.take(arrived, source);
        this.#lastProgress = this.#job.clock.now();
        for (const [i, unit] of arrived.entries()) if (taken[i] !== 'wrong') open.delete(keyOf(unit));
        const wrong = arrived.find((_, i) => taken[i] === 'wrong');
        if (wrong !== undefined) throw new MossError('bad-block', `${source.name} sent no delta to ${wrong.id}`, { data: { id: wrong.id } });
        if (taken.includes('right')) this.#proven.add(source);
      },
    });
  }
}
