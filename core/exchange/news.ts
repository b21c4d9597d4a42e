/**
 * What those who fetch the same tell each other through their neighbours: that a block has come, and who is bringing one from
 * the floor. Shared by the sessions and the server of one machine.
 */
import type { Clock } from '../ports/clock.ts';

/** Somebody is bringing a block from the floor: this machine, or another one, however far away. */
export interface Claim {
  /** Who it is, for this block: whoever has the highest one brings it, and the others leave it to them. */
  readonly weight: number;
  /** Counts on while that one is still at it. */
  readonly round: number;
  /** Milliseconds on the clock: when it was heard last, and since when there is a claim to the block. */
  readonly heardAt: number;
  readonly since: number;
}

export interface NewsListener {
  /** A block is here. */
  onArrived?(block: string): void;
  /** A claim is new, or it still holds. */
  onClaim(block: string, claim: Claim): void;
}

/** Milliseconds between two rounds of a claim, and after which one that was not heard of again is none. */
export const ROUND = 2000;
export const CLAIM_HOLDS = 5000;
/** Milliseconds for which claims to a block may follow each other without bringing it. */
export const CLAIMS_HOLD = 15_000;
/** How often a claim may be beaten: of n chosen by chance, the best so far changes about log n times. More is no crowd, but a flood. */
const MOST_BEATEN = 32;

export class News {
  readonly #clock: Clock;
  readonly #claims = new Map<string, Claim & { beaten: number }>();
  readonly #listeners = new Set<NewsListener>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The highest claim to a block, which may be an old one. */
  claimTo(block: string): Claim | undefined {
    return this.#claims.get(block);
  }

  /** Tells on what is new of a claim. */
  claim(block: string, weight: number, round: number): void {
    const now = this.#clock.now();
    const known = this.#claims.get(block);
    let [beaten, since] = [0, now];
    if (known !== undefined && now - known.heardAt < CLAIM_HOLDS) {
      const again = weight === known.weight && round > known.round && now - known.heardAt > ROUND / 2;
      if (!again && (weight <= known.weight || known.beaten >= MOST_BEATEN)) return;
      beaten = known.beaten + (again ? 0 : 1);
      since = known.since;
    }
    const claim = { weight, round, heardAt: now, since, beaten };
    this.#claims.set(block, claim);
    for (const { onClaim } of this.#listeners) onClaim(block, claim);
  }

  arrived(block: string): void {
    for (const { onArrived } of this.#listeners) onArrived?.(block);
  }

  /** Nobody here wants the block any more. */
  forget(block: string): void {
    this.#claims.delete(block);
  }

  /** @returns what ends it */
  listen(listener: NewsListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
