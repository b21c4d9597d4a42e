import type { MossError } from '../error.ts';
import type { Source } from '../ports/source.ts';
import type { Attempt } from './attempt.ts';
import { addLatency, addToRate, NO_RATE } from './estimate.ts';
import { seedOf } from './share-out.ts';
import type { SourceView } from './situation.ts';

/** Tasks in a row, each after all its tries, after which a source is left alone for the rest of the session. */
const MOST_FAILURES = { floor: 6, lan: 3, far: 3 };
/** Milliseconds that a peer is left alone after it failed; twice as long each time. */
const BACK_OFF = 250;
/** Milliseconds for which a source may at most ask to be left alone. */
const LONGEST_BACK_OFF = 10_000;

/** What a session knows of a source. */
export class SourceState implements SourceView {
  readonly source: Source;
  readonly kind: 'floor' | 'lan' | 'far';
  readonly concurrency: number;
  readonly attempts = new Set<Attempt>();
  proven = false;
  retryAt = 0;
  rate = NO_RATE;
  latency: number | undefined;
  lastProgress: number;
  /** Why it is left alone. */
  reason: MossError | undefined;
  gainedAt: number | undefined;
  readonly seed: number;
  #failures = 0;
  /** When it failed last, of what counts. */
  #failedAt = -Infinity;
  #disappointments = 0;
  /** Until when its time is accounted for; `undefined` while nothing is asked of it. */
  #counted: number | undefined;

  constructor(source: Source, now: number) {
    this.source = source;
    this.kind = source.kind === 'webseed' ? 'floor' : source.kind === 'lan' ? 'lan' : 'far';
    this.concurrency = source.concurrency;
    this.lastProgress = now;
    this.seed = seedOf(source.name);
  }

  get out(): boolean {
    return this.reason !== undefined;
  }

  begin(attempt: Attempt, now: number): void {
    if (this.#waits() === 0) {
      this.lastProgress = now;
      this.#counted = undefined;
    }
    this.attempts.add(attempt);
  }

  /** Something came of an attempt. */
  came(attempt: Attempt, bytes: number, first: boolean, now: number): void {
    if (first) this.latency = addLatency(this.latency, now - attempt.startedAt);
    // The way there is no part of the rate; but what comes all at once after it took its time, too.
    const waited = now - attempt.startedAt;
    const since = this.#counted ?? Math.min(now - waited / 2, attempt.startedAt + (this.latency ?? 0));
    this.rate = addToRate(this.rate, bytes, Math.max(0, now - since));
    this.#counted = now;
    this.lastProgress = now;
  }

  /** Something of it was found right. */
  prove(now: number): void {
    this.proven = true;
    this.#failures = 0;
    this.lastProgress = now;
  }

  /** An attempt ended. */
  end(attempt: Attempt): void {
    this.attempts.delete(attempt);
    if (this.#waits() === 0) this.#counted = undefined;
  }

  /**
   * Counts tasks, not tries: a server that is busy for a second refuses all lanes at once, and is no dead one. What was under way to
   * a peer fails together, since its connection broke: that counts once.
   */
  fail({ startedAt }: Attempt, error: MossError, now: number): void {
    if (this.kind === 'floor' || startedAt > this.#failedAt) {
      this.#failures++;
      this.#failedAt = now;
    }
    const { retryAfter } = error.data;
    if (typeof retryAfter === 'number') this.retryAt = now + Math.min(LONGEST_BACK_OFF, retryAfter);
    else if (this.kind !== 'floor') this.retryAt = now + Math.min(LONGEST_BACK_OFF, BACK_OFF * 2 ** this.#failures);
    if (this.#failures >= MOST_FAILURES[this.kind]) this.reason = error;
  }

  /** It was silent until another source had brought what it was asked for: before it is proven, that counts. */
  disappoint(now: number): void {
    if (this.kind === 'floor' || this.proven) return;
    this.#disappointments++;
    this.retryAt = now + Math.min(LONGEST_BACK_OFF, BACK_OFF * 2 ** this.#disappointments);
  }

  #waits(): number {
    let count = 0;
    for (const { accepting } of this.attempts) if (!accepting) count++;
    return count;
  }
}
