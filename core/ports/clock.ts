import type { AbortOptions } from './abort.ts';

/** Time as the core sees it: the only way to know it or to wait. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted. */
  sleep(ms: number, options?: AbortOptions): Promise<void>;
}
