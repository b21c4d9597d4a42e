/** What may go out: a rate and a monthly allowance beyond the local network, nothing of the kind within it. */
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { PeerScope } from '../ports/transport.ts';
import { TokenBucket } from './token-bucket.ts';

/** What limits say to those who upload. */
export interface UploadLimits {
  /** Whether anything may be sent to such peers at all: false once the month's allowance is used up. */
  allows(scope: PeerScope): boolean;
  /** Resolves when `bytes` may be sent. */
  take(scope: PeerScope, bytes: number, options?: AbortOptions): Promise<void>;
}

export const UNLIMITED: UploadLimits = {
  allows: () => true,
  take: async () => {
    // Nothing to wait for.
  },
};

export interface UploadLimitOptions {
  clock: Clock;
  /** Bytes a second; 0 for no limit. */
  rate: number;
  /** Bytes a month; 0 for no limit. */
  allowance: number;
  /** Bytes that went beyond the local network this month, as they were written down. */
  sentThisMonth: () => number;
}

/** Milliseconds for which a look at what was written down holds. */
const FRESH = 5000;

export function uploadLimits({ clock, rate, allowance, sentThisMonth }: UploadLimitOptions): UploadLimits {
  const bucket = rate === 0 ? undefined : new TokenBucket(rate, clock);
  let sent = { at: Number.NEGATIVE_INFINITY, bytes: 0 };
  return {
    allows: (scope) => {
      if (scope === 'lan' || allowance === 0) return true;
      const now = clock.now();
      if (now - sent.at > FRESH) sent = { at: now, bytes: sentThisMonth() };
      return sent.bytes < allowance;
    },
    take: async (scope, bytes, options) => {
      if (scope === 'lan') return;
      sent.bytes += bytes;
      await bucket?.take(bytes, options);
    },
  };
}
