/** What goes out: a rate and a monthly allowance beyond the local network, nothing of the kind within it. */
import type { UploadLimits } from '../../core/exchange/upload.ts';
import { nodeClock } from '../clock.ts';
import type { Settings } from '../config/settings.ts';
import type { PeerBook } from './peer-book.ts';
import { TokenBucket } from './token-bucket.ts';

/** Milliseconds for which a look into the book holds. */
const FRESH = 5000;

export function uploadLimits(settings: Pick<Settings, 'upload-rate' | 'monthly-upload'>, book: Pick<PeerBook, 'sentThisMonth'>): UploadLimits {
  const { 'upload-rate': rate, 'monthly-upload': allowance } = settings;
  const bucket = rate === 0 ? undefined : new TokenBucket(rate, nodeClock);
  let sent = { at: Number.NEGATIVE_INFINITY, bytes: 0 };
  return {
    allows: (scope) => {
      if (scope === 'lan' || allowance === 0) return true;
      const now = nodeClock.now();
      if (now - sent.at > FRESH) sent = { at: now, bytes: book.sentThisMonth };
      return sent.bytes < allowance;
    },
    take: async (scope, bytes, options) => {
      if (scope === 'lan') return;
      sent.bytes += bytes;
      await bucket?.take(bytes, options);
    },
  };
}
