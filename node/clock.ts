import { setTimeout as delay } from 'node:timers/promises';
import type { AbortSignal as CoreAbortSignal } from '../core/ports/abort.ts';
import type { Clock } from '../core/ports/clock.ts';

/** The machine's clock. `SOURCE_DATE_EPOCH` is for publishers only: see `publisherClock`. */
export const nodeClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, { signal } = {}) => {
    // The core knows a part of AbortSignal only; at run time it is always the platform's own.
    await delay(ms, undefined, signal === undefined ? {} : { signal: signal as CoreAbortSignal & AbortSignal });
  },
};

/**
 * The clock of a publisher: `SOURCE_DATE_EPOCH` (reproducible-builds.org) makes signed metadata the same for the same
 * input.
 */
export function publisherClock(environment: Record<string, string | undefined>): Clock {
  const epoch = Number(environment['SOURCE_DATE_EPOCH'] ?? Number.NaN);
  return Number.isSafeInteger(epoch) && epoch > 0 ? { ...nodeClock, now: () => epoch * 1000 } : nodeClock;
}
