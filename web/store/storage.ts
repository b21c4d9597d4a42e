import type { DonorStorage } from '../../core/donate/storage.ts';
import { BrowserRecords } from './records.ts';
import { startStoreWorker } from './start-worker.ts';
import { WorkerBlockstore } from './worker-blockstore.ts';

/** Where a tab keeps what it holds. Nothing is opened before the first call. */
export interface BrowserStorage extends DonorStorage {
  readonly blocks: WorkerBlockstore;
  readonly records: BrowserRecords;
}

export function browserStorage(): BrowserStorage {
  return { blocks: new WorkerBlockstore(startStoreWorker, 'moss-blocks'), records: new BrowserRecords('moss-records') };
}

/** Asks that the browser does not evict what is held when the disk gets full. What it answers is no promise. */
export async function askToPersist(): Promise<boolean> {
  return navigator.storage?.persist?.().catch(() => false) ?? false;
}
