import { MossError } from '../error.ts';
import type { Clock } from '../ports/clock.ts';
import type { Fetch } from '../ports/fetch.ts';
import type { MetadataFetcher } from '../ports/metadata.ts';
import { fetchBytes } from './http.ts';

export interface MetadataFetcherOptions {
  /** Where the site is: `metadata/` is looked for below it. */
  url: string;
  fetch: Fetch;
  clock: Clock;
  stallTimeout?: number | undefined;
}

/** Signed metadata from a static web directory. */
export function webMetadataFetcher({ url, ...options }: MetadataFetcherOptions): MetadataFetcher {
  const base = `${url.replace(/\/+$/, '')}/metadata`;
  return {
    fetch: async (fileName, maxBytes, { signal } = {}) => {
      try {
        return await fetchBytes(`${base}/${fileName}`, { ...options, maxBytes, signal });
      } catch (error) {
        if (!(error instanceof MossError)) throw error;
        if (error.code === 'no-source') return undefined;
        if (error.code === 'bad-block') throw new MossError('metadata-endless', error.message, { cause: error });
        throw error;
      }
    },
  };
}
