/** How long a plan would take, roughly: enough to choose between two plans for the same files. Pure. */
import type { FetchPlan } from './plan.ts';

/** What was seen of a source a moment ago. */
export interface Speed {
  /** Milliseconds of a small request. */
  latency: number;
  /** Bytes a second of one request. */
  rate: number;
  /** Requests at the same time. Their latencies overlap; that their rates add up is not assumed. */
  concurrency: number;
}

/** Bytes a second of `gzip -9` on one core (measured on manual pages: 14 MB/s). */
const GZIP_RATE = 14_000_000;
/** Milliseconds of processor time for a request, at both ends. */
const REQUEST_TIME = 0.2;

/**
 * Milliseconds that fetching takes, and packing documents again where the plan does that.
 *
 * @param cores processors that pack
 */
export function estimateTime(plan: FetchPlan, speed: Speed, cores: number): number {
  const requests = plan.frames.length * Math.max(REQUEST_TIME, speed.latency / speed.concurrency);
  const packing = plan.frames.reduce((sum, { pieces }) => sum + pieces.reduce((bytes, piece) => bytes + (piece.gzip ? piece.length : 0), 0), 0);
  return requests + (plan.download / speed.rate) * 1000 + (packing / (GZIP_RATE * cores)) * 1000;
}
