/** What a donor may still send and fetch: a rate, and bytes a month. Both can be changed while it goes on. */
import { TokenBucket } from '../exchange/token-bucket.ts';
import type { UploadLimits } from '../exchange/upload.ts';
import { MAX_PIECE } from '../exchange/wire/message.ts';
import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { PeerScope } from '../ports/transport.ts';

/** Bytes that are sent at once, at most. */
const TURN = MAX_PIECE;

export interface AllowanceOptions {
  clock: Clock;
  /** Bytes that went out this month. */
  sent: () => number;
}

export class Allowance implements UploadLimits {
  readonly #options: AllowanceOptions;
  #rate = 0;
  #month = 0;
  #out: TokenBucket | undefined;
  #in: TokenBucket | undefined;
  /** Bytes that were let go and are not counted as sent yet. */
  #promised = 0;

  constructor(options: AllowanceOptions) {
    this.#options = options;
  }

  /** @param rate bytes a second, @param month bytes; 0: no limit */
  set({ rate, month }: { rate: number; month: number }): void {
    this.#month = month;
    if (rate === this.#rate) return;
    this.#rate = rate;
    this.#out = rate === 0 ? undefined : new TokenBucket(rate, this.#options.clock);
    this.#in = rate === 0 ? undefined : new TokenBucket(rate, this.#options.clock);
  }

  /** Whether what is left of the month is less than one turn at sending: nothing more goes out then. */
  get isUsedUp(): boolean {
    return this.#month > 0 && this.#options.sent() + this.#promised + TURN > this.#month;
  }

  allows(): boolean {
    return !this.isUsedUp;
  }

  /**
   * A volunteer's limits hold for everybody, on the local network too.
   *
   * @throws MossError `source-failed` when the month's bytes would be exceeded: not by one byte
   */
  async take(_scope: PeerScope, bytes: number, options?: AbortOptions): Promise<void> {
    if (this.#month > 0 && this.#options.sent() + this.#promised + bytes > this.#month) {
      throw new MossError('source-failed', 'nothing more is given this month');
    }
    this.#promised += bytes;
    try {
      await this.#out?.take(bytes, options);
    } catch (error) {
      this.#promised -= bytes;
      throw error;
    }
  }

  /** What was let go has gone: it counts as sent from now on. */
  settle(bytes: number): void {
    this.#promised = Math.max(0, this.#promised - bytes);
  }

  /** Holds what comes in to the same rate. */
  async takeIn(bytes: number, options?: AbortOptions): Promise<void> {
    await this.#in?.take(bytes, options);
  }
}
