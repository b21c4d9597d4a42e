/** One source that is asked for one task: as a block, or as the files that it brings. */
import { MossError } from '../error.ts';
import type { Clock } from '../ports/clock.ts';
import type { FileSource, Source } from '../ports/source.ts';
import { abortController } from './abort-controller.ts';
import type { ByteBudget } from './byte-budget.ts';
import { fetchFiles } from './fetch-files.ts';
import type { Links } from './links.ts';
import type { AttemptView } from './situation.ts';
import type { SourceState } from './source-state.ts';
import type { Task } from './task.ts';
import { keyOf, type ArrivedUnit, type Want } from './want.ts';

export interface AttemptDeps {
  clock: Clock;
  accept: (want: Want, bytes: Uint8Array, source: Source) => Promise<void>;
  acceptFiles: ((want: Want, units: readonly ArrivedUnit[], source: Source) => Promise<boolean[]>) | undefined;
  /** Where the links of large files are kept; without it, files are not asked for. */
  links: Links | undefined;
  budget: ByteBudget;
  onBytes: ((source: Source, count: number) => void) | undefined;
  /** Something came, for the first time. */
  onFirst: () => void;
  /** Nothing more comes of it. */
  onOver: (attempt: Attempt) => void;
}

/** How often the floor is asked for the same block when it fails, and how long the wait before is (milliseconds). */
const RETRY_DELAYS = [300, 1200];

export class Attempt implements AttemptView {
  readonly task: Task;
  readonly source: SourceState;
  readonly startedAt: number;
  firstAt: number | undefined;
  received = 0;
  atStake = 0;
  progress = 0;
  accepting = false;
  cancelled = false;
  /** Milliseconds until all of it had come. */
  duration = 0;
  readonly #deps: AttemptDeps;
  readonly #controller = abortController();

  constructor(task: Task, source: SourceState, deps: AttemptDeps) {
    this.task = task;
    this.source = source;
    this.#deps = deps;
    this.startedAt = deps.clock.now();
    source.begin(this, this.startedAt);
    task.attempts.add(this);
  }

  /** Ends it without a result. */
  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.#deps.onOver(this);
    this.#controller.abort(new MossError('aborted', 'another source was quicker'));
  }

  /**
   * Brings the task, or what the source has of it.
   *
   * @throws MossError as `Source.get` and those who take it in do; `no-source` when a part of it is missing
   */
  async run(): Promise<void> {
    try {
      const files = this.#fileSource();
      const held = files && (files.holds ?? (await files.greet({ signal: this.#controller.signal })));
      if (files === undefined || held?.files !== true) await this.#block();
      else if (!held.frames) await this.#files(files);
      else await this.#blockOrFiles(files);
    } finally {
      this.source.end(this);
      this.task.attempts.delete(this);
      this.#deps.onOver(this);
    }
  }

  #fileSource(): FileSource | undefined {
    const { source } = this.source;
    const { acceptFiles, links } = this.#deps;
    return acceptFiles !== undefined && links !== undefined && this.task.units.size > 0 && 'getLeaf' in source ? (source as FileSource) : undefined;
  }

  async #blockOrFiles(source: FileSource): Promise<void> {
    try {
      await this.#block();
    } catch (error) {
      if (!(error instanceof MossError) || error.code !== 'no-source') throw error;
      await this.#files(source);
    }
  }

  async #block(): Promise<void> {
    const { task, source } = this;
    const bytes = await this.#get();
    this.duration = this.#deps.clock.now() - this.startedAt;
    // Another source may have brought it just now, and it may be wrong.
    while (task.taking !== undefined) await task.taking;
    if (task.done) return;
    this.accepting = true;
    // Who was right before most likely is now: the others need not go on. Else the task is simply given back.
    if (source.proven || source.kind === 'floor') for (const other of task.attempts) if (other !== this) other.cancel();
    const accepted = this.#deps.accept(task.want, bytes, source.source);
    const settled = accepted.then(
      () => undefined,
      () => undefined,
    );
    task.taking = settled;
    try {
      await accepted;
    } finally {
      task.taking = undefined;
    }
    task.done = true;
    this.atStake = 0;
    source.prove(this.#deps.clock.now());
  }

  async #get(): Promise<Uint8Array> {
    const { task, source } = this;
    const { signal } = this.#controller;
    const { cid, maxBytes } = task.want;
    for (let tries = 0; ; tries++) {
      try {
        return await source.source.get({ cid, maxBytes }, { signal, onBytes: (count) => this.#came(count, count) });
      } catch (error) {
        const delay = RETRY_DELAYS[tries];
        if (source.kind !== 'floor' || delay === undefined || this.cancelled || !(error instanceof MossError) || error.code !== 'source-failed') throw error;
        await this.#deps.clock.sleep(delay, { signal });
        [this.received, this.atStake, this.progress, this.firstAt] = [0, 0, 0, undefined];
      }
    }
  }

  async #files(source: FileSource): Promise<void> {
    const { task } = this;
    const { links, budget } = this.#deps;
    if (links === undefined) throw new MossError('bug', 'files without links');
    const missed = await fetchFiles({
      source,
      units: [...task.units.values()],
      links,
      budget,
      signal: this.#controller.signal,
      onBytes: (count) => this.#came(count, (count * task.bytes) / task.unitBytes),
      isProven: () => this.source.proven,
      isWanted: (unit) => !task.done && task.units.has(keyOf(unit)),
      take: (units) => this.#takeFiles(units),
    });
    this.duration = this.#deps.clock.now() - this.startedAt;
    if (missed > 0 && !task.done) throw new MossError('no-source', `${source.name} does not have all files`);
  }

  async #takeFiles(arrived: readonly ArrivedUnit[]): Promise<void> {
    const { task, source } = this;
    const units = arrived.filter((unit) => task.units.has(keyOf(unit)));
    const good = (await this.#deps.acceptFiles?.(task.want, units, source.source)) ?? [];
    for (const [i, unit] of units.entries()) {
      if (good[i] !== true) continue;
      this.atStake = Math.max(0, this.atStake - unit.bytes);
      task.take(unit);
    }
    const wrong = units.find((_, i) => good[i] !== true);
    if (wrong !== undefined) throw new MossError('bad-block', `${source.source.name} sent other bytes for ${wrong.id}`, { data: { id: wrong.id } });
    if (units.length > 0) source.prove(this.#deps.clock.now());
  }

  /** @param progress what this is of the task */
  #came(count: number, progress: number): void {
    const first = this.received === 0;
    this.firstAt ??= this.#deps.clock.now();
    this.received += count;
    this.atStake += count;
    this.progress = Math.min(this.task.bytes, this.progress + progress);
    this.source.came(this, progress, first, this.#deps.clock.now());
    this.#deps.onBytes?.(this.source.source, count);
    if (first) this.#deps.onFirst();
  }
}
