/**
 * Whether so little goes out to a peer that compressing saves more time than it takes. How long writes wait does not tell: the
 * buffers of the system take in all that a peer asks for at a time.
 */
import type { Clock } from '../ports/clock.ts';
import type { Compressor } from '../ports/compressor.ts';
import type { Serial } from './serial.ts';

/**
 * Bytes a second below which a peer is slow: a line of 100 Mbit/s is. At 250 Mbit/s, compressing gains nothing where both ends share
 * two cores (measured).
 */
const SLOW = 16_000_000;
/** Milliseconds that tell, and after which what was seen counts for half. */
const TELLING = 200;
const REMEMBERED = 1000;
/** Milliseconds: who does not ask for longer does not wait for the line. */
const GAP = 200;
/**
 * Once compressing took so many milliseconds, it has to have saved as many. Else so many bytes, at least and at most, go as they are
 * before it is tried again: twice as many each time, since some files in a row gain nothing.
 */
const TRIAL = 200;
const AS_IT_IS = { least: 8 * 1024 * 1024, most: 32 * 1024 * 1024 };

export class Pace {
  readonly #clock: Clock;
  #bytes = 0;
  /** Milliseconds. */
  #time = 0;
  #last: number | undefined;
  /** Milliseconds that compressing took and saved. */
  #took = 0;
  #saved = 0;
  /** Bytes that go as they are, since compressing did not pay; and how many that would be the next time. */
  #asItIs = 0;
  #next = AS_IT_IS.least;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether it is worth trying to compress. */
  get isSlow(): boolean {
    return this.#time >= TELLING && this.#bytes * 1000 < this.#time * SLOW && this.#asItIs === 0;
  }

  /** @param bytes of content, as they travel */
  sent(bytes: number): void {
    const now = this.#clock.now();
    this.#time += Math.min(GAP, now - (this.#last ?? now));
    this.#last = now;
    this.#bytes += bytes;
    this.#asItIs = Math.max(0, this.#asItIs - bytes);
    if (this.#time < REMEMBERED) return;
    this.#time /= 2;
    this.#bytes /= 2;
  }

  /** The same compressor, when its turn comes, held against what it saves here. */
  measured(compressor: Compressor, turn: Serial): Compressor {
    return {
      compress: (bytes, options) =>
        turn.run(async () => {
          const before = this.#clock.now();
          const out = await compressor.compress(bytes, options);
          this.#weigh(this.#clock.now() - before, ((bytes.length - out.length) / this.#bytes) * this.#time);
          return out;
        }),
      decompress: (bytes, options) => compressor.decompress(bytes, options),
    };
  }

  #weigh(took: number, saved: number): void {
    this.#took += took;
    this.#saved += saved;
    if (this.#took < TRIAL) return;
    const pays = this.#took <= this.#saved;
    if (!pays) this.#asItIs = this.#next;
    this.#next = pays ? AS_IT_IS.least : Math.min(AS_IT_IS.most, 2 * this.#next);
    // The next trial begins.
    this.#took = this.#saved = 0;
  }
}
