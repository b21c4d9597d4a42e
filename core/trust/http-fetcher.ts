import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Fetch, FetchResponse } from '../ports/fetch.ts';
import type { MetadataFetcher } from '../ports/metadata.ts';
import { endless } from './download.ts';

/** Static hosts say "not here" in these ways; buckets that may not be listed say 403. */
const NOT_HERE: ReadonlySet<number> = new Set([403, 404, 410]);

/** Metadata from a static web directory, through the platform's own `fetch`. */
export function httpMetadataFetcher({ fetch, baseUrl }: { fetch: Fetch; baseUrl: string }): MetadataFetcher {
  const base = baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`;
  return { fetch: (fileName, maxBytes, options) => fetchBytes(fetch, `${base}${fileName}`, maxBytes, options) };
}

/**
 * The body at a URL, or `undefined` when there is none.
 *
 * @throws MossError `metadata-endless` as soon as more than `maxBytes` came, `source-failed`; the signal's reason
 */
export async function fetchBytes(fetch: Fetch, url: string, maxBytes: number, { signal }: AbortOptions = {}): Promise<Uint8Array | undefined> {
  try {
    const response = await fetch(url, { signal });
    if (NOT_HERE.has(response.status)) {
      await response.body?.getReader().cancel();
      return undefined;
    }
    if (response.status !== 200) throw failed(url, `it answered with status ${response.status}`);
    return await readBody(response, url, maxBytes);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof MossError) throw cause;
    throw failed(url, 'the connection failed', cause);
  }
}

async function readBody(response: FetchResponse, url: string, maxBytes: number): Promise<Uint8Array> {
  const reader = response.body?.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
    const piece = next.value ?? new Uint8Array(0);
    length += piece.length;
    if (length > maxBytes) {
      await reader?.cancel();
      throw endless(url, maxBytes);
    }
    pieces.push(piece);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function failed(url: string, why: string, cause?: unknown): MossError {
  return new MossError('source-failed', `${url} could not be fetched: ${why}.`, {
    hint: 'Check the network and the address, and try again.',
    ...(cause === undefined ? {} : { cause }),
    data: { url },
  });
}
