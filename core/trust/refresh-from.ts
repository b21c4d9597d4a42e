import { MossError } from '../error.ts';
import type { MetadataFetcher } from '../ports/metadata.ts';
import { refreshTrust } from './client.ts';
import type { LocalTrustDeps, TrustOptions, TrustedRepository } from './trusted.ts';

/** Failures that another source cannot mend. */
const NOT_THE_SOURCE: ReadonlySet<string> = new Set(['aborted', 'clock-suspect', 'not-found', 'io', 'disk-full', 'bug']);

/**
 * Refreshes from the first source that passes: a mirror, a peer, a directory, in the order in which they are worth
 * asking. What a source told before it failed was verified, so it counts whoever comes next.
 *
 * @throws MossError the failure of the first source, when all fail
 */
export async function refreshTrustFrom(
  deps: LocalTrustDeps,
  sources: readonly MetadataFetcher[],
  options: TrustOptions = {},
): Promise<TrustedRepository> {
  let first: unknown = new MossError('no-source', 'There is no source to get the metadata of the repository from.', { hint: 'Add an address to the repository.' });
  for (const [at, fetcher] of sources.entries()) {
    try {
      return await refreshTrust({ ...deps, fetcher }, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof MossError) || NOT_THE_SOURCE.has(error.code)) throw error;
      if (at === 0) first = error;
    }
  }
  throw first;
}
