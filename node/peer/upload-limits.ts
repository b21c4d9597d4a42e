import { uploadLimits as limitUploads, type UploadLimits } from '../../core/exchange/upload.ts';
import { nodeClock } from '../clock.ts';
import type { Settings } from '../config/settings.ts';
import type { PeerBook } from './peer-book.ts';

/** The limits that the settings of a root ask for, with what its book says was sent. */
export function uploadLimits(settings: Pick<Settings, 'upload-rate' | 'monthly-upload'>, book: Pick<PeerBook, 'sentThisMonth'>): UploadLimits {
  const { 'upload-rate': rate, 'monthly-upload': allowance } = settings;
  return limitUploads({ clock: nodeClock, rate, allowance, sentThisMonth: () => book.sentThisMonth });
}
