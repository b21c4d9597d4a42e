import type { Cid } from '../dag/cid.ts';
import type { AbortOptions } from './abort.ts';
import type { Wanted } from './holdings.ts';

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

/** What a source that has files says of itself. */
export interface Held {
  readonly frames: boolean;
  /** Files one by one: those of at most 1 MiB as raw blocks, larger ones by their leaves. */
  readonly files: boolean;
  /** Whether it makes deltas of files where it has both ends. */
  readonly deltas: boolean;
  /** Whether it tells later what it did not have when it was asked. */
  readonly news: boolean;
}

/** Of something that a source was asked about: it has got it, or somebody is bringing it (see `soon` in core/exchange/README.md). */
export type Tidings = 'here' | { readonly weight: number; readonly round: number };

export interface HasOptions extends AbortOptions {
  /** Where the source tells news: called with what became of the one at `index`, until it is there or the stream ends. */
  follow?: ((index: number, tidings: Tidings) => void) | undefined;
}

/** A whole file, as a delta against one that is here. */
export interface DeltaRequest {
  file: Cid;
  base: Cid;
  /** Whether both are gzip, and what is in them is compared. */
  unpacked: boolean;
  /** Bytes of the file; of what is in it, where that is compared. */
  bytes: number;
}

/** A source that can be asked for the files that a frame brings, one by one: a peer. */
export interface FileSource extends Source {
  /** `undefined` before it was heard of. */
  readonly holds: Held | undefined;
  /** Reaches the source, unless it was heard of already. */
  greet(options?: AbortOptions): Promise<Held>;
  /** The SHA-256 digests of the leaves of a file above 1 MiB, 32 bytes each, in order. */
  getLinks(file: Cid, leaves: number, options?: GetOptions): Promise<Uint8Array>;
  /** One leaf of such a file. */
  getLeaf(file: Cid, index: number, bytes: number, options?: GetOptions): Promise<Uint8Array>;
  /** One zstd frame whose dictionary is the base: nobody has tried yet whether it unpacks. */
  getDelta(request: DeltaRequest, options?: GetOptions): Promise<Uint8Array>;
  /** Which of these the source says that it has, at most 1,024 at once. */
  has(wanted: readonly Wanted[], options?: HasOptions): Promise<boolean[]>;
}
