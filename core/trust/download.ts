import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { MetadataFetcher } from '../ports/metadata.ts';

/** The most that is read where the size is not signed for (TUF sections 5.3.3, 5.4.1, 5.5.1, 5.6.1): bytes, counts. */
export const LIMITS = {
  root: 512_000,
  timestamp: 16_384,
  snapshot: 2_000_000,
  targets: 5_000_000,
  /** Root files in one refresh. */
  rootRotations: 256,
  /** Targets roles in one search (section 5.6.7.1). */
  delegations: 32,
} as const;

interface Download extends AbortOptions {
  readonly fetcher: MetadataFetcher;
}

/**
 * A metadata file, or `undefined` when the source has none by this name. The limit is checked here too: a fetcher is
 * an adapter, and may forget it.
 */
export async function fetchMetadata({ fetcher, signal }: Download, file: string, maxBytes: number): Promise<Uint8Array | undefined> {
  signal?.throwIfAborted();
  const bytes = await fetcher.fetch(file, maxBytes, { signal }).catch((cause: unknown) => {
    if (cause instanceof MossError && cause.code === 'metadata-endless') throw endless(file, maxBytes, cause);
    throw cause;
  });
  if (bytes !== undefined && bytes.length > maxBytes) throw endless(file, maxBytes);
  return bytes;
}

/** @throws MossError `metadata-missing` when the source does not have it */
export async function fetchRequired(download: Download, file: string, maxBytes: number): Promise<Uint8Array> {
  const bytes = await fetchMetadata(download, file, maxBytes);
  if (bytes !== undefined) return bytes;
  throw new MossError('metadata-missing', `The source does not have ${file}.`, {
    hint: 'Check the address of the repository. A copy that is being written may be complete in a moment.',
    data: { file },
  });
}

export function endless(file: string, maxBytes: number, cause?: unknown): MossError {
  return new MossError('metadata-endless', `${file} is longer than the ${maxBytes} bytes that it may have.`, {
    hint: 'The source is broken or hostile. Use another one.',
    data: { file, maxBytes },
    ...(cause === undefined ? {} : { cause }),
  });
}
