/** What was seen of a source, as values: the scheduler decides by these, and by nothing that was configured. */

/** Milliseconds of work after which what was seen counts half. */
const HALF_LIFE = 500;
/** Durations that are remembered. */
const WINDOW = 64;
/** Durations from which on a quantile means something. */
const ENOUGH = 4;
/** Bytes that every request costs beside its own: what a small one takes is mostly the way there and back. */
const OVERHEAD = 64 * 1024;

/** Bytes over time, of which the last count most. */
export interface Rate {
  readonly bytes: number;
  readonly ms: number;
  /** Bytes ever. */
  readonly total: number;
}

export const NO_RATE: Rate = { bytes: 0, ms: 0, total: 0 };

/** @param ms milliseconds of work that brought `bytes` */
export function addToRate(rate: Rate, bytes: number, ms: number): Rate {
  const keep = 2 ** (-ms / HALF_LIFE);
  return { bytes: rate.bytes * keep + bytes, ms: rate.ms * keep + ms, total: rate.total + bytes };
}

/** Bytes in a millisecond; `undefined` before anything came. */
export function rateOf({ bytes, ms }: Rate): number | undefined {
  return bytes === 0 ? undefined : bytes / Math.max(ms, 1);
}

/** How long requests took, in milliseconds for each byte with its overhead: so that small and large ones compare. */
export interface Durations {
  readonly last: readonly number[];
}

export const NO_DURATIONS: Durations = { last: [] };

export function addDuration({ last }: Durations, bytes: number, ms: number): Durations {
  return { last: [...last.slice(1 - WINDOW), ms / (OVERHEAD + bytes)] };
}

/**
 * The milliseconds within which all but a share of the requests for so many bytes were done.
 *
 * @param share 0.8 for p80
 */
export function quantile({ last }: Durations, share: number, bytes: number): number | undefined {
  if (last.length < ENOUGH) return undefined;
  const sorted = last.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * (OVERHEAD + bytes);
}

/**
 * The least latency that was seen lately: it drifts up by a hundredth a sample, since routes change. No quicker: many requests at
 * once wait for each other, and that is no latency.
 */
export function addLatency(known: number | undefined, ms: number): number {
  return known === undefined ? ms : Math.min(ms, known + Math.max(known, 1) / 100);
}
