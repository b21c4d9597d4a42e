/** A pool of worker threads for work that keeps a core busy: hashing, zstd, writing many small files. */
import { extname } from 'node:path';
import { setImmediate as immediately } from 'node:timers/promises';
import { Worker, type Transferable } from 'node:worker_threads';
import { MossError } from '../../core/error.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { Reply } from './serve.ts';

/** The URL of a worker's module beside the caller's: sources run as `.ts`, the built program as `.js`. */
export function workerUrl(base: string, name: string): URL {
  return new URL(`${name}${extname(base)}`, base);
}

/** Threads make little garbage of their own: with V8's usual 48 MB each they would only collect it later. */
const YOUNG_MEGABYTES = 8;

interface Job {
  task: unknown;
  transfer: readonly Transferable[];
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

interface Thread {
  worker: Worker;
  /** What it does now, and what it does next. */
  jobs: Job[];
}

export interface PoolOptions {
  /** Threads; each starts with the first task that finds the others busy. */
  size: number;
  /** Tasks that a thread has before it is done with the last one, so that short ones follow each other without a pause. */
  ahead?: number;
  workerData?: unknown;
  /** Called with what workers report while they work. */
  onEvent?: (event: unknown) => void;
  /** Closes the pool; tasks that were not finished are rejected with its reason. */
  signal?: AbortSignal | undefined;
}

export class Pool<Task, Result> {
  readonly #url: URL;
  readonly #options: PoolOptions;
  readonly #threads: Thread[] = [];
  readonly #queue: Job[] = [];
  #closed: unknown;

  constructor(url: URL, options: PoolOptions) {
    this.#url = url;
    this.#options = options;
    options.signal?.addEventListener('abort', this.#stop);
  }

  /** Runs one task on the next free thread. Errors of the worker come out as they were thrown there. */
  run(task: Task, transfer: readonly Transferable[] = []): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(this.#closed);
        return;
      }
      // The worker's module decides what a result is: `serve` is typed with the same pair.
      this.#queue.push({ task, transfer, resolve: resolve as (result: unknown) => void, reject });
      this.#dispatch();
    });
  }

  /** Starts all threads, so that they are there when the first tasks come: it takes each a tenth of a second. */
  start(): void {
    while (this.#closed === undefined && this.#start() !== undefined);
  }

  /**
   * Does tasks on this thread too, as long as one waits that no thread has begun.
   *
   * @param handle does a task; `undefined` where it is none that this thread does: the others wait for theirs then
   */
  async help(handle: (task: Task) => Promise<Result> | undefined, { signal }: AbortOptions = {}): Promise<void> {
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      // What waits was given to `run`.
      const done = handle(job.task as Task);
      if (done === undefined) {
        this.#queue.unshift(job);
        return;
      }
      await done.then(job.resolve, job.reject);
      // The threads get their next tasks.
      await immediately();
      signal?.throwIfAborted();
    }
  }

  /** Stops all threads; tasks that were not finished are rejected. */
  async close(): Promise<void> {
    const { signal } = this.#options;
    signal?.removeEventListener('abort', this.#stop);
    this.#closed ??= signal?.aborted === true ? signal.reason : new MossError('aborted', 'the work was stopped');
    for (const job of this.#queue.splice(0)) job.reject(this.#closed);
    const threads = this.#threads.splice(0);
    for (const { jobs } of threads) for (const job of jobs) job.reject(this.#closed);
    await Promise.all(threads.map((thread) => thread.worker.terminate()));
  }

  readonly #stop = (): void => void this.close();

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#next();
      if (thread === undefined) return;
      const job = this.#queue.shift();
      if (job === undefined) return;
      thread.jobs.push(job);
      thread.worker.postMessage(job.task, job.transfer);
    }
  }

  /** The thread for the next task: an idle one, a new one, or one with room. */
  #next(): Thread | undefined {
    const { ahead = 0 } = this.#options;
    const idle = this.#threads.find(({ jobs }) => jobs.length === 0);
    return idle ?? this.#start() ?? this.#threads.find(({ jobs }) => jobs.length <= ahead);
  }

  #start(): Thread | undefined {
    if (this.#threads.length >= this.#options.size) return undefined;
    const worker = new Worker(this.#url, { workerData: this.#options.workerData, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES } });
    const thread: Thread = { worker, jobs: [] };
    worker.on('message', (reply: Reply) => {
      if (reply.kind === 'event') {
        this.#options.onEvent?.(reply.event);
        return;
      }
      // A thread does its tasks in their order.
      const job = thread.jobs.shift();
      if (reply.kind === 'result') job?.resolve(reply.result);
      else job?.reject(reviveError(reply));
      this.#dispatch();
    });
    worker.on('error', (error) => this.#lose(thread, error));
    worker.on('exit', () => this.#lose(thread, new MossError('bug', 'a worker thread ended')));
    this.#threads.push(thread);
    return thread;
  }

  #lose(thread: Thread, error: unknown): void {
    const at = this.#threads.indexOf(thread);
    if (at !== -1) this.#threads.splice(at, 1);
    for (const job of thread.jobs.splice(0)) job.reject(error);
    this.#dispatch();
  }
}

function reviveError(reply: Extract<Reply, { kind: 'error' }>): Error {
  if (reply.moss === undefined) {
    const error = new Error(reply.message);
    if (reply.stack !== undefined) error.stack = reply.stack;
    return error;
  }
  return new MossError(reply.moss.code, reply.message, {
    ...(reply.moss.hint !== undefined && { hint: reply.moss.hint }),
    data: reply.moss.data,
  });
}
