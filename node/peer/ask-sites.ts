import { fetchBytes } from '../../core/exchange/http.ts';
import { parseSiteHints } from '../../core/exchange/site-hints.ts';
import { nodeClock } from '../clock.ts';
import { nodeFetch } from '../net/fetch.ts';

/** Bytes of `moss.json`, and milliseconds for it. */
const MAX_HINTS = 64 * 1024;
const HINTS_TIMEOUT = 5000;

export interface AskSitesOptions {
  signal: AbortSignal;
  /** Called with the multiaddrs of each site that names some. */
  onPeers: (addresses: string[]) => void;
}

/** Sites name peers in `moss.json`. It is not signed: the addresses are only to be tried. */
export async function askSites(sites: readonly { urls: readonly string[] }[], { signal, onPeers }: AskSitesOptions): Promise<void> {
  const urls = sites.flatMap((each) => each.urls).filter((url) => /^https?:/.test(url));
  await Promise.all(
    urls.map(async (url) => {
      try {
        const over = AbortSignal.any([signal, AbortSignal.timeout(HINTS_TIMEOUT)]);
        const { peers } = parseSiteHints(await fetchBytes(`${url}/moss.json`, { fetch: nodeFetch, clock: nodeClock, maxBytes: MAX_HINTS, signal: over }));
        if (peers.length > 0) onPeers(peers);
      } catch {
        // A site need not have any.
      }
    }),
  );
}
