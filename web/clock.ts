import type { Clock } from '../core/ports/clock.ts';
import { sleepBy } from '../core/sleep.ts';
import { trustedScriptUrl } from './trusted.ts';

/** What the worker of a clock does: it answers with the number after so many milliseconds. */
const SOURCE = 'onmessage=({data:[n,ms]})=>setTimeout(postMessage,ms,n)';

/**
 * The browser's clock. It waits in a worker, since the timers of a hidden page go off once a second at most, or once a
 * minute, and a rate would fall with them. Where a policy forbids the worker, the page's own timers have to do.
 */
export function webClock(): Clock {
  const alarms = new Alarms();
  return { now: () => Date.now(), sleep: sleepBy((ms, wake) => alarms.set(ms, wake)) };
}

class Alarms {
  readonly #waiting = new Map<number, () => void>();
  /** Started when it is first needed: nothing runs before consent. */
  #worker: Worker | 'none' | undefined;
  #next = 0;

  /** @returns a function that takes it back */
  set(ms: number, wake: () => void): () => void {
    this.#worker ??= this.#start();
    if (this.#worker === 'none') {
      const timer = setTimeout(wake, ms);
      return () => clearTimeout(timer);
    }
    const number = this.#next++;
    this.#waiting.set(number, wake);
    this.#worker.postMessage([number, ms], []);
    return () => this.#waiting.delete(number);
  }

  #start(): Worker | 'none' {
    try {
      const url = URL.createObjectURL(new Blob([SOURCE], { type: 'text/javascript' }));
      const worker = new Worker(trustedScriptUrl(url), { name: 'moss-clock' });
      worker.addEventListener('message', ({ data }) => {
        URL.revokeObjectURL(url);
        const wake = this.#waiting.get(data);
        this.#waiting.delete(data);
        wake?.();
      });
      // A policy may forbid it, which is told late.
      worker.addEventListener('error', () => {
        this.#worker = 'none';
        const late = [...this.#waiting.values()];
        this.#waiting.clear();
        for (const wake of late) wake();
      });
      return worker;
    } catch {
      return 'none';
    }
  }
}
