/** A rate that holds over any second: bytes are taken before they go, and whoever takes too many waits. */
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';

/** Milliseconds' worth of bytes that may go at once after a pause. */
const BURST = 250;

/** Holds bytes back until they may go. */
export interface RateLimit {
  take(bytes: number, options?: AbortOptions): Promise<void>;
}

export class TokenBucket implements RateLimit {
  readonly #rate: number;
  readonly #clock: Clock;
  /** When all that was taken so far will have gone, in milliseconds of the clock. */
  #free: number;

  /** @param rate bytes a second */
  constructor(rate: number, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#free = clock.now() - BURST;
  }

  /** Resolves when `bytes` may go; those who wait go in the order in which they came. */
  async take(bytes: number, options: AbortOptions = {}): Promise<void> {
    const now = this.#clock.now();
    const start = Math.max(this.#free, now - BURST);
    this.#free = start + (bytes / this.#rate) * 1000;
    if (this.#free > now) await this.#clock.sleep(this.#free - now, options);
  }
}
