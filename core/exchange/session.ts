/**
 * A session: gets a set of blocks from several sources at the same time. `schedule.ts` says who is asked for what; this
 * asks, keeps count of what comes, and lets the caller take it in. A source that sends wrong bytes is out.
 */
import { MossError } from '../error.ts';
import type { FileSource, Source } from '../ports/source.ts';
import { abortController } from './abort-controller.ts';
import { Attempt, type AttemptDeps } from './attempt.ts';
import { followAvailability } from './availability.ts';
import { ByteBudget } from './byte-budget.ts';
import { HEAD_START } from './capacity.ts';
import { Claims } from './claims.ts';
import { Course } from './course.ts';
import { Links } from './links.ts';
import { mayHave, noSource } from './no-source.ts';
import { choose, losers } from './schedule.ts';
import type { SessionOptions, SessionReport } from './session-options.ts';
import { isOutbid, seedOf } from './share-out.ts';
import { shuffled } from './shuffle.ts';
import { SourceState } from './source-state.ts';
import { Task } from './task.ts';
import { Waiting } from './waiting.ts';
import type { Want } from './want.ts';

export type { SessionOptions, SessionReport } from './session-options.ts';
export type { Want } from './want.ts';

/** Milliseconds between two looks at who stands still or is late, where nothing else happens. */
const TICK = 50;
/** Bytes of files under way to all sources together. */
const FILE_BYTES = 32 * 1024 * 1024;

/**
 * Gets every want once; resolves when all were accepted, but for optional ones that cannot be had.
 *
 * @throws MossError `no-source` when a block is nowhere, `source-failed` when what has it does not answer
 */
export async function fetchBlocks(wants: Iterable<Want>, options: SessionOptions): Promise<SessionReport> {
  return new Session(wants, options).run();
}

class Session {
  readonly #options: SessionOptions;
  /** By themselves: the scheduler answers with what it was shown. */
  readonly #tasks: ReadonlyMap<unknown, Task>;
  readonly #sources = new Map<unknown, SourceState>();
  readonly #course: Course;
  readonly #claims: Claims;
  readonly #waiting: Waiting;
  /** Ends all requests when one of them has failed for good, or the caller gives up. */
  readonly #stop = abortController();
  readonly #ended = Promise.withResolvers<void>();
  readonly #deps: AttemptDeps;
  /** Tasks that are not done, and attempts that have not ended. */
  #open: number;
  readonly #running = new Set<Attempt>();
  #wrong = 0;
  readonly #missed = new Map<Want, MossError>();
  /** Whether sources are being looked for, so that nothing is given up yet. */
  #searching = false;
  #over = false;
  #willPump = false;

  constructor(wants: Iterable<Want>, options: SessionOptions) {
    this.#options = options;
    const unique = new Map<string, Want>();
    for (const want of wants) unique.set(want.cid.toString(), want);
    const ordered = options.random === undefined ? [...unique.values()] : shuffled([...unique.values()], options.random);
    const tasks = ordered.map((want) => new Task(want, options.news));
    this.#waiting = new Waiting(tasks);
    this.#tasks = new Map(tasks.map((task) => [task, task]));
    this.#open = tasks.length;
    const { clock, join, self } = options;
    this.#course = new Course(tasks, this.#waiting.ready(tasks), { clock, expecting: join !== undefined, self: self === undefined ? undefined : seedOf(self) });
    this.#claims = new Claims(options.news, this.#course.self);
    this.#deps = {
      clock: options.clock,
      accept: options.accept,
      acceptFiles: options.acceptFiles,
      links: options.hasher && new Links(options.hasher),
      budget: new ByteBudget(FILE_BYTES),
      onBytes: options.onBytes,
      onFirst: () => void this.#pumpSoon(),
      onOver: (attempt) => this.#course.attempts.delete(attempt),
    };
  }

  async run(): Promise<SessionReport> {
    const { sources, signal, join } = this.#options;
    if (this.#open === 0) return { duplicate: 0, wrong: 0, missed: this.#missed };
    if (sources.length === 0 && join === undefined) {
      throw new MossError('no-source', 'there is no source to fetch from', { hint: 'Add a repository with `moss repo add`.' });
    }
    signal?.throwIfAborted();
    this.#ended.promise.catch(() => undefined);
    const onAbort = (): void => this.#end({ error: signal?.reason });
    signal?.addEventListener('abort', onAbort);
    try {
      for (const source of sources) this.#add(source);
      const searched = join?.((source) => {
        if (this.#over) return;
        this.#add(source);
        this.#pump();
      });
      if (searched !== undefined) void this.#await(searched);
      this.#pump();
      if (sources.length > 1 || join !== undefined || sources.some(({ kind }) => kind !== 'webseed')) this.#tick().catch(() => undefined);
      await this.#ended.promise;
    } finally {
      this.#over = true;
      this.#claims.end(this.#tasks.values());
      signal?.removeEventListener('abort', onAbort);
      this.#stop.abort(new MossError('aborted', 'the session is over'));
    }
    return { duplicate: this.#course.wasted, wrong: this.#wrong, missed: this.#missed };
  }

  #add(source: Source): void {
    const state = new SourceState(source, this.#options.clock.now());
    this.#sources.set(state, state);
    this.#course.sources.push(state);
    if (!isFileSource(source)) return;
    const { clock } = this.#options;
    void followAvailability(state, source, {
      clock,
      signal: this.#stop.signal,
      queue: () => this.#course.unsure(),
      missing: () => [...this.#tasks.values()].filter(({ done }) => !done),
      news: this.#options.news,
      onNews: () => void this.#pumpSoon(),
    });
  }

  async #await(search: Promise<void>): Promise<void> {
    this.#searching = true;
    await search.catch(() => undefined);
    this.#searching = false;
    this.#pump();
  }

  /** Once for all that comes in one turn: of many small blocks some at once. */
  async #pumpSoon(): Promise<void> {
    if (this.#willPump) return;
    this.#willPump = true;
    await undefined;
    this.#willPump = false;
    this.#pump();
  }

  /** Does all that there is to do, as things are now. */
  #pump(): void {
    if (this.#over) return;
    const course = this.#course.look();
    const lost = new Set<unknown>(losers(course));
    for (const attempt of lost.size === 0 ? [] : this.#running) {
      if (!lost.has(attempt)) continue;
      if (attempt.received === 0 && attempt.task.attempts.size > 1) attempt.source.disappoint(course.now);
      attempt.cancel();
    }
    for (;;) {
      const start = choose(course);
      const task = this.#tasks.get(start?.task);
      const source = this.#sources.get(start?.source);
      if (task === undefined || source === undefined) break;
      void this.#begin(task, source);
    }
    if (this.#running.size === 0) this.#checkEnd();
  }

  /** Nothing is under way: it is over, unless a source may be asked again later. */
  #checkEnd(): void {
    if (this.#over) return;
    const now = this.#options.clock.now();
    const { queue } = this.#course;
    const [task] = queue;
    if (queue.some((each) => isOutbid(each, this.#course))) return;
    if (task === undefined || this.#searching || this.#some((source) => source.retryAt > now && mayHave(source, task))) return;
    this.#miss(task);
    this.#checkEnd();
  }

  /** Looks again after some time, since sources fall silent without a word. */
  async #tick(): Promise<void> {
    const { clock } = this.#options;
    await clock.sleep(HEAD_START, { signal: this.#stop.signal });
    for (;;) {
      this.#claims.renew(this.#course.attempts, clock.now());
      this.#pump();
      await clock.sleep(TICK, { signal: this.#stop.signal });
    }
  }

  async #begin(task: Task, source: SourceState): Promise<void> {
    const attempt = new Attempt(task, source, this.#deps);
    const course = this.#course;
    this.#running.add(attempt);
    course.begin(attempt);
    this.#claims.begin(attempt);
    try {
      await attempt.run();
      course.complete(attempt);
    } catch (error) {
      this.#failed(attempt, error);
    }
    this.#running.delete(attempt);
    if (this.#over) return;
    if (task.done || attempt.cancelled) course.wasted += attempt.atStake;
    if (course.count(task) && task.done) this.#finish(task);
    if (task.attempts.size === 0 && !task.done) this.#giveBack(task);
    void this.#pumpSoon();
  }

  /** A task was taken in. */
  #finish(task: Task): void {
    this.#claims.arrived(task);
    for (const other of task.attempts) {
      this.#course.attempts.delete(other);
      if (!other.accepting) other.cancel();
    }
    this.#settle(task);
  }

  /** What waited for it may come, and the session is over with the last one. */
  #settle(task: Task): void {
    this.#waiting.release(task, this.#course.queue);
    this.#open--;
    if (this.#open === 0) this.#end(undefined);
  }

  #failed(attempt: Attempt, error: unknown): void {
    const { task, source, cancelled, atStake } = attempt;
    if (this.#over || cancelled) return;
    if (!(error instanceof MossError)) {
      this.#end({ error });
      return;
    }
    const now = this.#options.clock.now();
    switch (error.code) {
      case 'bad-block':
      case 'bad-message':
        this.#wrong += atStake;
        this.#ban(source, error);
        break;
      case 'source-failed':
        source.fail(attempt, error, now);
        // A peer may be asked for the same again; the floor was, several times.
        if (source.kind === 'floor') task.tried.set(source, error);
        break;
      case 'no-source':
        task.tried.set(source, error);
        break;
      default:
        this.#end({ error });
    }
  }

  #ban(source: SourceState, error: MossError): void {
    if (source.out) return;
    source.reason = error;
    this.#options.onBan?.(source.source, error);
    for (const attempt of source.attempts) attempt.cancel();
  }

  #giveBack(task: Task): void {
    if (this.#over) return;
    if (this.#some((source) => mayHave(source, task))) this.#course.queue.unshift(task);
    else if (this.#searching) this.#course.queue.push(task);
    else this.#miss(task);
  }

  /** It cannot be had: the session is over, unless it goes on without. */
  #miss(task: Task): void {
    const error = noSource(task, this.#sources.values());
    if (task.want.optional !== true) {
      this.#end({ error });
      return;
    }
    this.#missed.set(task.want, error);
    this.#course.drop(task);
    this.#settle(task);
  }

  #some(test: (source: SourceState) => boolean): boolean {
    for (const source of this.#sources.values()) if (test(source)) return true;
    return false;
  }

  #end(failure: { error: unknown } | undefined): void {
    if (this.#over) return;
    this.#over = true;
    if (failure === undefined) this.#ended.resolve();
    else this.#ended.reject(failure.error);
    // What is under way is of no use any more.
    for (const attempt of this.#running) attempt.cancel();
  }
}

function isFileSource(source: Source): source is FileSource {
  return 'has' in source;
}
