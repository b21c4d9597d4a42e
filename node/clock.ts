import type { Clock } from '../core/ports/clock.ts';
import { sleepBy } from '../core/sleep.ts';

/** The machine's clock. `SOURCE_DATE_EPOCH` is for publishers only: see `publisherClock`. */
export const nodeClock: Clock = {
  now: () => Date.now(),
  sleep: sleepBy((ms, wake) => {
    const timer = setTimeout(wake, ms);
    return () => clearTimeout(timer);
  }),
};

/**
 * The clock of a publisher: `SOURCE_DATE_EPOCH` (reproducible-builds.org) makes signed metadata the same for the same
 * input.
 */
export function publisherClock(environment: Record<string, string | undefined>): Clock {
  const epoch = Number(environment['SOURCE_DATE_EPOCH'] ?? Number.NaN);
  return Number.isSafeInteger(epoch) && epoch > 0 ? { ...nodeClock, now: () => epoch * 1000 } : nodeClock;
}
