import type { AbortOptions } from '../ports/abort.ts';
import type { PeerScope } from '../ports/transport.ts';

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
