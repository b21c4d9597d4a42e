/** Of all tabs of a site one gives: the one that holds the lock. The others wait for it, in order. */
const LOCK = 'moss-donor';

/**
 * Asks to be the one. Where the browser has no locks, every tab is told yes, and the store's files decide.
 *
 * @param tell is called with `true` once it is this tab
 * @returns a function that steps back
 */
export function standForElection(tell: (elected: boolean) => void): () => void {
  if (!('locks' in navigator)) {
    tell(true);
    return () => undefined;
  }
  const withdrawn = new AbortController();
  const held = Promise.withResolvers<void>();
  navigator.locks
    .request(LOCK, { signal: withdrawn.signal }, () => {
      tell(true);
      return held.promise;
    })
    // Only a withdrawal rejects, and whoever withdrew knows.
    .catch(() => undefined);
  return () => {
    withdrawn.abort();
    held.resolve();
  };
}
