import type { Clock } from './ports/clock.ts';

/**
 * The waiting of a clock, from a platform's timer: it ends with the signal's reason when that comes first.
 *
 * @param set calls back after so many milliseconds, and gives a function that takes this back
 */
export function sleepBy(set: (ms: number, wake: () => void) => () => void): Clock['sleep'] {
  return (ms, { signal } = {}) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = set(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort);
    });
}
