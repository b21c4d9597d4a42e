/** Milliseconds over which the rate is measured, and the shortest time that it is said of. */
const WINDOW = 3000;
const LEAST = 250;
/** Milliseconds that are counted together. */
const BUCKET = 100;

/** Bytes per second over the last seconds, from values of a clock. */
export class Rate {
  #buckets: { at: number; bytes: number }[] = [];
  #start: number | undefined;

  /** @param now milliseconds of a clock that never goes back */
  add(bytes: number, now: number): void {
    this.#start ??= now;
    const last = this.#buckets.at(-1);
    if (last !== undefined && now - last.at < BUCKET) last.bytes += bytes;
    else this.#buckets.push({ at: now, bytes });
  }

  perSecond(now: number): number {
    this.#buckets = this.#buckets.filter(({ at }) => now - at < WINDOW);
    const span = Math.max(LEAST, Math.min(WINDOW, now - (this.#start ?? now)));
    return Math.round((this.#buckets.reduce((sum, { bytes }) => sum + bytes, 0) / span) * 1000);
  }
}
