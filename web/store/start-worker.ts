import { source } from 'virtual:store-worker';
import { startWorker } from '../start-worker.ts';

export function startStoreWorker(): Worker {
  return startWorker(source);
}
