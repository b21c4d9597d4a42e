import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';

interface Sleeper {
  at: number;
  wake: () => void;
}

/** Turns of the microtask queue after which work that did not end is taken to be waiting for the clock. */
const TURNS = 200;

/**
 * A clock whose time passes only while everything else waits for it.
 *
 * @example
 * const clock = new VirtualClock();
 * await clock.run(clock.sleep(60_000));
 * assert.equal(clock.now(), 60_000);
 */
export class VirtualClock implements Clock {
  #now: number;
  #sleepers: Sleeper[] = [];

  /** @param start milliseconds since the Unix epoch */
  constructor(start = 0) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, { signal }: AbortOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const stop = (): void => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper);
        reject(signal?.reason);
      };
      const wake = (): void => {
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      const sleeper: Sleeper = { at: this.#now + Math.max(0, ms), wake };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', stop);
    });
  }

  /**
   * Lets time pass until `work` is settled.
   *
   * @throws MossError `bug` when it waits for something that is not this clock
   */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    work.then(mark, mark);
    for (;;) {
      for (let turn = 0; turn < TURNS; turn++) {
        await undefined;
        if (settled) return await work;
      }
      const next = this.#sleepers.reduce<Sleeper | undefined>((first, each) => (first === undefined || each.at < first.at ? each : first), undefined);
      if (next === undefined) throw new MossError('bug', 'nothing will ever happen: the work waits for something else than the clock');
      this.#sleepers = this.#sleepers.filter((each) => each !== next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
  }
}
