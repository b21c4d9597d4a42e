import { availableParallelism } from 'node:os';
import { Pool, workerUrl } from '../threads/pool.ts';
import type { StorePool } from './staging.ts';
import type { StoreResult, StoreTask, StoreThread } from './tasks.ts';

/** Threads beyond four have nothing to do: the disk and the source are the limit by then. */
const MOST = 4;

/**
 * The worker threads of a root. None is started before there is work.
 *
 * @param asksPeers whether a thread of this process talks to peers
 * @param helped whether this thread does tasks as well (`Pool.help`): then a core is left to it
 */
export function openStorePool({ helped = false, asksPeers = false } = {}): StorePool {
  const workerData: StoreThread = { asksPeers };
  const cores = availableParallelism();
  return new Pool<StoreTask, StoreResult>(workerUrl(import.meta.url, './store-worker'), {
    workerData,
    size: helped ? Math.max(1, Math.min(MOST, cores - 1)) : Math.max(2, Math.min(MOST, cores)),
    // A frame may take less time than a message there and back: 4 % of an installation (measured). Where this thread
    // does tasks too, it hands out none meanwhile: with one ahead, the others wait for it a tenth of their time (measured).
    ahead: helped ? 4 : 1,
  });
}
