/**
 * Whether a line is so slow that compressing what it carries takes less time than it saves. Seen from how long writes wait:
 * once compressing takes longer than the line, they wait no more, and the line counts as quick again.
 */
import type { Clock } from '../ports/clock.ts';

/** Bytes a second below which a line is slow: zstd at its quick level reads three times as much on one core (measured). */
const SLOW = 32_000_000;
/** Milliseconds of waiting that tell, and bytes after which what was seen counts for half. */
const TELLING = 100;
const REMEMBERED = 4 * 1024 * 1024;

export class LineRate {
  readonly #clock: Clock;
  #bytes = 0;
  /** Milliseconds. */
  #waited = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isSlow(): boolean {
    return this.#waited >= TELLING && this.#bytes * 1000 < this.#waited * SLOW;
  }

  /** Takes a write into account. */
  async time(bytes: number, write: () => Promise<void>): Promise<void> {
    const before = this.#clock.now();
    await write();
    const ms = this.#clock.now() - before;
    // What goes before anything has to wait fills the buffers of the system, and tells nothing.
    if (ms === 0 && this.#waited === 0) return;
    this.#bytes += bytes;
    this.#waited += ms;
    if (this.#bytes < REMEMBERED) return;
    this.#bytes /= 2;
    this.#waited /= 2;
  }
}
