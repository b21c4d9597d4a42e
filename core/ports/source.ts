import type { Cid } from '../dag/cid.ts';
import type { AbortOptions } from './abort.ts';

/** Where a source stands, for ledgers and for policy: a webseed is never told what a peer is told. */
export type SourceKind = 'webseed' | 'lan' | 'swarm' | 'donor';

export interface BlockRequest {
  cid: Cid;
  /** The most bytes that may come; reading stops there. Exact when the manifest gives the size. */
  maxBytes: number;
}

export interface GetOptions extends AbortOptions {
  /** Called with the number of bytes that each read brought, as they come. */
  onBytes?: ((count: number) => void) | undefined;
}

/**
 * Something that blocks can be asked of. It is not trusted: the bytes are unverified.
 *
 * `get` rejects with a `MossError`: `no-source` when this source does not
 * have the block (404), `source-failed` when it may work later (5xx, reset, timeout), `bad-block` when it answers
 * with something that cannot be the block (too long).
 */
export interface Source {
  readonly name: string;
  readonly kind: SourceKind;
  /** How many requests the source takes at the same time. */
  readonly concurrency: number;
  get(request: BlockRequest, options?: GetOptions): Promise<Uint8Array>;
}
