/** The engine of the donate page and of the element: loaded after consent, and only then. */
import { RepositoryDonor } from '../core/donate/repository-donor.ts';
import type { Donor } from '../core/donate/donor.ts';
import type { DonorStorage } from '../core/donate/storage.ts';
import type { Fetch } from '../core/ports/fetch.ts';
import { webClock } from './clock.ts';
import { webHasher } from './hasher.ts';
import { tabNetwork, type Dialled } from './net/tab-network.ts';
import { webRandom } from './random.ts';
import { webVerifier } from './verifier.ts';
import { webDecompressor } from './zstd.ts';

export interface SeederOptions {
  storage: DonorStorage;
  /** Peers at the same time. */
  connections?: number | undefined;
  /** What to dial, in this order; all that browsers have, where it is not given. */
  transports?: readonly Dialled[] | undefined;
}

/** As many as an element on somebody's page may have. */
const CONNECTIONS = 8;

/** A donor in this tab. It does nothing before it is started. */
export function createDonor({ storage, connections = CONNECTIONS, transports }: SeederOptions): Donor {
  const { hostname, protocol } = location;
  return new RepositoryDonor({
    storage,
    openNetwork: tabNetwork({ connections, transports, page: { hostname, isSecure: protocol === 'https:' } }),
    fetch: webFetch,
    clock: webClock(),
    minuteOfDay: () => {
      const now = new Date();
      return 60 * now.getHours() + now.getMinutes();
    },
    hasher: webHasher,
    random: webRandom,
    verifier: webVerifier,
    decompressor: webDecompressor,
  });
}

/**
 * Without cookies, and without telling which page this is. The browser's own cache is left alone: it would keep each block a second
 * time, beyond the quota, and say for minutes that nobody is there.
 */
const webFetch: Fetch = (url, init) =>
  fetch(url, { ...init, signal: (init?.signal ?? null) as AbortSignal | null, cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer' });
