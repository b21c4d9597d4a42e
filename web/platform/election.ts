/** Of all tabs of a site one gives: the one that holds the lock. The others wait for it, in order. */
const LOCK = 'moss-donor';

/**
 * Asks to be the one. Where the browser has no locks, every tab is told yes, and the store's files decide.
 *
 * @param tell is called with what is so now, and with `true` once it is this tab
 * @returns a function that steps back
 */
export function standForElection(tell: (elected: boolean) => void): () => void {
  if (!('locks' in navigator)) {
    tell(true);
    return () => undefined;
  }
  const { locks } = navigator;
  const withdrawn = new AbortController();
  const held = Promise.withResolvers<void>();
  const hold = (): Promise<void> => {
    if (!withdrawn.signal.aborted) tell(true);
    return held.promise;
  };
  locks
    .request(LOCK, { ifAvailable: true }, (lock) => {
      if (lock !== null) return hold();
      tell(false);
      // Only a withdrawal rejects, and whoever withdrew knows.
      locks.request(LOCK, { signal: withdrawn.signal }, hold).catch(() => undefined);
    })
    .catch(() => tell(false));
  return () => {
    withdrawn.abort();
    held.resolve();
  };
}
