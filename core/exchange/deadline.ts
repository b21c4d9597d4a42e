import { MossError } from '../error.ts';
import type { AbortSignal } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import { abortController } from './abort-controller.ts';

/** Why a watch ends when the work is done: made once, since an error would be made for every request. */
const DONE = Symbol('done');

export interface Deadline {
  /** Aborted when the time is up, or when the caller's signal is. */
  readonly signal: AbortSignal;
  /** Something came: the time starts anew. */
  extend(): void;
  /** Why the signal was aborted, as the error to throw. */
  failure(): unknown;
}

export interface DeadlineOptions {
  clock: Clock;
  signal?: AbortSignal | undefined;
  /** Milliseconds without `extend` after which the work is given up. */
  ms: number;
  /** What is waited for, for the error. */
  what: string;
}

/** Runs `work` with a deadline that moves on while something comes. */
export async function withDeadline<T>(options: DeadlineOptions, work: (deadline: Deadline) => Promise<T>): Promise<T> {
  const { clock, signal, ms, what } = options;
  signal?.throwIfAborted();
  const controller = abortController();
  const stop = abortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  let last = clock.now();
  const watch = async (): Promise<never> => {
    for (let rest = ms; rest > 0; rest = last + ms - clock.now()) await clock.sleep(rest, { signal: stop.signal });
    const failure = new MossError('source-failed', `${what} sent nothing for ${Math.round(ms / 1000)} seconds`);
    controller.abort(failure);
    throw failure;
  };
  const watching = watch();
  // Once the work is done nobody looks at the watch any more: its rejection is not an accident.
  watching.catch(() => undefined);
  const deadline: Deadline = {
    signal: controller.signal,
    extend: () => {
      last = clock.now();
    },
    failure: () => (controller.signal.aborted ? controller.signal.reason : undefined),
  };
  try {
    return await Promise.race([work(deadline), watching]);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stop.abort(DONE);
  }
}
