/**
 * A session: gets a set of blocks from several sources at the same time. Each source keeps as many requests under way
 * as it takes; a block that one source misses or fails goes to the next; a source that sends wrong bytes is out.
 */
import type { Cid } from '../dag/cid.ts';
import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { Source } from '../ports/source.ts';
import { abortController } from './abort-controller.ts';

export interface Want {
  cid: Cid;
  /** Bytes: exact where the manifest gives them, else the most that a block may have. */
  maxBytes: number;
}

export interface SessionOptions extends AbortOptions {
  sources: readonly Source[];
  clock: Clock;
  /**
   * Takes a block in, after checking its hash. Rejects with `bad-block` when the bytes are not the block's: the source
   * is banned and another one asked. Any other rejection ends the session.
   */
  accept: (want: Want, bytes: Uint8Array, source: Source) => Promise<void>;
  onBytes?: ((source: Source, count: number) => void) | undefined;
}

/** How often one source is asked for the same block when it fails, and how long the wait before is (milliseconds). */
const RETRY_DELAYS = [300, 1200];
/** Blocks in a row, each after all its tries, after which a source is left alone for the rest of the session. */
const MAX_FAILURES = 6;

interface Task {
  want: Want;
  /** Sources that do not have the block, or failed for good. */
  tried: Map<Source, MossError>;
  /** Failed tries at the present source. */
  tries: number;
}

/**
 * Gets every want once; resolves when all were accepted.
 *
 * @throws MossError `no-source` when a block is nowhere, `source-failed` when what has it does not answer
 */
export async function fetchBlocks(wants: Iterable<Want>, options: SessionOptions): Promise<void> {
  await new Session(wants, options).run();
}

class Session {
  readonly #queue: Task[];
  readonly #options: SessionOptions;
  /** Ends all requests when one of them has failed for good, or the caller gives up. */
  readonly #stop = abortController();
  readonly #banned = new Map<Source, MossError>();
  readonly #failures = new Map<Source, number>();
  /** Tasks that some lane is working on. */
  #busy = 0;
  /** Lanes that wait for a task to come back, or for the end. */
  #idle: (() => void)[] = [];
  #failure: { error: unknown } | undefined;

  constructor(wants: Iterable<Want>, options: SessionOptions) {
    const unique = new Map<string, Want>();
    for (const want of wants) unique.set(want.cid.toString(), want);
    this.#queue = [...unique.values()].map((want) => ({ want, tried: new Map(), tries: 0 }));
    this.#options = options;
  }

  async run(): Promise<void> {
    const { sources } = this.#options;
    if (this.#queue.length > 0 && sources.length === 0) {
      throw new MossError('no-source', 'there is no source to fetch from', { hint: 'Add a repository with `moss repo add`.' });
    }
    const lanes = sources.flatMap((source) =>
      Array.from({ length: Math.min(source.concurrency, this.#queue.length) }, () => this.#lane(source)),
    );
    const { signal } = this.#options;
    const onAbort = (): void => this.#stop.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort);
    await Promise.all(lanes);
    signal?.removeEventListener('abort', onAbort);
    if (this.#failure !== undefined) throw this.#failure.error;
    const left = this.#queue[0];
    if (left !== undefined) throw this.#noSource(left);
  }

  /** One request after the other to one source. */
  async #lane(source: Source): Promise<void> {
    for (;;) {
      const task = await this.#next(source);
      if (task === undefined) return;
      this.#busy++;
      try {
        await this.#fetch(task, source);
      } catch (error) {
        this.#failure ??= { error };
        // What is under way is of no use any more.
        this.#stop.abort(this.#failure.error);
      } finally {
        this.#busy--;
        this.#wake();
      }
    }
  }

  /** The next task that this source may serve; waits while others might hand one back. */
  async #next(source: Source): Promise<Task | undefined> {
    for (;;) {
      if (this.#failure !== undefined || this.#banned.has(source)) return undefined;
      const at = this.#queue.findIndex((task) => !task.tried.has(source));
      if (at !== -1) return this.#queue.splice(at, 1)[0];
      if (this.#busy === 0) return undefined;
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  #wake(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  async #fetch(task: Task, source: Source): Promise<void> {
    const { signal, accept, onBytes, clock } = this.#options;
    signal?.throwIfAborted();
    try {
      const bytes = await source.get(task.want, { signal: this.#stop.signal, onBytes: onBytes && ((count) => onBytes(source, count)) });
      await accept(task.want, bytes, source);
      this.#failures.set(source, 0);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof MossError)) throw error;
      if (error.code === 'bad-block') this.#banned.set(source, error);
      else if (error.code === 'source-failed') {
        const delay = this.#banned.has(source) ? undefined : RETRY_DELAYS[task.tries++];
        if (delay !== undefined) {
          await clock.sleep(delay, { signal: this.#stop.signal });
          await this.#fetch(task, source);
          return;
        }
        this.#countFailure(source, error);
      } else if (error.code !== 'no-source') throw error;
      task.tried.set(source, error);
      task.tries = 0;
      this.#giveBack(task);
    }
  }

  /** Counts blocks, not tries: a server that is busy for a second refuses all lanes at once, and is no dead one. */
  #countFailure(source: Source, error: MossError): void {
    const failures = (this.#failures.get(source) ?? 0) + 1;
    this.#failures.set(source, failures);
    if (failures >= MAX_FAILURES) this.#banned.set(source, error);
  }

  #giveBack(task: Task): void {
    for (const [source, error] of this.#banned) if (!task.tried.has(source)) task.tried.set(source, error);
    if (this.#options.sources.every((source) => task.tried.has(source))) throw this.#noSource(task);
    this.#queue.unshift(task);
  }

  #noSource(task: Task): MossError {
    const reasons = [...task.tried.values(), ...this.#banned.values()];
    const later = reasons.find((reason) => reason.code === 'source-failed');
    const why = [...new Set(reasons.map((reason) => reason.message))].join('; ');
    return new MossError(later === undefined ? 'no-source' : 'source-failed', `cannot get ${task.want.cid.toString()}: ${why}`, {
      hint:
        later === undefined
          ? 'Run `moss repo update`; if it stays so, the repository is incomplete: tell its publisher.'
          : 'Run the command again: it goes on where it stopped.',
      cause: later ?? reasons[0],
      data: { cid: task.want.cid.toString() },
    });
  }
}
