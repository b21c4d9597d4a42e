import { trustedScriptUrl } from './trusted.ts';

/**
 * A worker from text that came with the engine: so it has the engine's integrity, and may run on a site of another
 * origin than the engine's own. A policy has to allow it: `worker-src blob:`.
 */
export function startWorker(source: string): Worker {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(trustedScriptUrl(url));
  // A URL that is revoked at once may be gone before it was read.
  worker.addEventListener('message', () => URL.revokeObjectURL(url), { once: true });
  return worker;
}
