import { source } from 'virtual:store-worker';
import { trustedScriptUrl } from '../trusted.ts';

/**
 * The worker, from text that came with the engine: so it has the engine's integrity, and may run on a site of another
 * origin than the engine's own. A policy has to allow it: `worker-src blob:`.
 */
export function startStoreWorker(): Worker {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  // The worker reads it before its first message; a URL that is revoked at once may be gone too early.
  const worker = new Worker(trustedScriptUrl(url), { name: 'moss-store' });
  worker.addEventListener('message', () => URL.revokeObjectURL(url), { once: true });
  return worker;
}
