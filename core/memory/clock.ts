import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';

interface Sleeper {
  at: number;
  /** Who slept first wakes first, where both wake at the same time. */
  turn: number;
  /** `undefined` once it is not waited for any more. */
  wake: (() => void) | undefined;
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
  readonly #sleepers = new SleeperHeap();
  readonly #settle: () => Promise<void>;
  #turn = 0;

  /**
   * @param start milliseconds since the Unix epoch
   * @param settle resolves when nothing goes on any more without the clock: a turn of the event loop is quicker than the
   * microtasks that are counted without it
   */
  constructor(start = 0, settle: () => Promise<void> = manyTurns) {
    this.#now = start;
    this.#settle = settle;
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
        sleeper.wake = undefined;
        reject(signal?.reason);
      };
      const wake = (): void => {
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      const sleeper: Sleeper = { at: this.#now + Math.max(0, ms), turn: this.#turn++, wake };
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
      await this.#settle();
      if (settled) return await work;
      const next = this.#sleepers.pop();
      if (next === undefined) throw new MossError('bug', 'nothing will ever happen: the work waits for something else than the clock');
      this.#now = Math.max(this.#now, next.at);
      next.wake?.();
    }
  }
}

async function manyTurns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await undefined;
}

/** Who wakes next, of very many (a binary heap). */
class SleeperHeap {
  readonly #items: Sleeper[] = [];

  push(sleeper: Sleeper): void {
    const items = this.#items;
    let at = items.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || isBefore(parent, sleeper)) break;
      items[at] = parent;
      at = above;
    }
    items[at] = sleeper;
  }

  /** The next one that is still waited for. */
  pop(): Sleeper | undefined {
    for (;;) {
      const first = this.#items[0];
      const last = this.#items.pop();
      if (first === undefined || last === undefined) return undefined;
      if (first !== last) this.#sink(last);
      if (first.wake !== undefined) return first;
    }
  }

  /** Puts what was last where the first one was, and down to its place. */
  #sink(sleeper: Sleeper): void {
    const items = this.#items;
    let at = 0;
    for (;;) {
      const [left, right] = [items[2 * at + 1], items[2 * at + 2]];
      const below = left !== undefined && right !== undefined && isBefore(right, left) ? right : left;
      if (below === undefined || isBefore(sleeper, below)) break;
      items[at] = below;
      at = 2 * at + (below === left ? 1 : 2);
    }
    items[at] = sleeper;
  }
}

function isBefore(a: Sleeper, b: Sleeper): boolean {
  return a.at === b.at ? a.turn < b.turn : a.at < b.at;
}
