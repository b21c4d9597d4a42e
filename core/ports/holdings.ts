import type { Cid } from '../dag/cid.ts';
import type { AbortOptions } from './abort.ts';

export interface ReadOptions extends AbortOptions {
  /** `length` bytes that may be used for the answer: what is read from a disk need not be copied then. */
  into?: Uint8Array | undefined;
}

/**
 * What a peer can be asked for. A file of at most 1 MiB is the raw block of its id. A larger one is asked for leaf by
 * leaf, once its links are known: a machine that holds files alone has no other blocks of it.
 */
export type Wanted =
  | { kind: 'block'; cid: Cid }
  /** The SHA-256 digests of all leaves of a file, 32 bytes each, in order: the file's id follows from them. */
  | { kind: 'links'; file: Cid }
  /** One run of 1 MiB of a file; the last one is shorter. */
  | { kind: 'leaf'; file: Cid; index: number };

/** Something that is held. */
export interface Content {
  /** Bytes. */
  readonly size: number;
  /** Whether compressing it may be worth while: frames are compressed already. */
  readonly compressible: boolean;
  /**
   * A run of the content, exactly `length` bytes.
   *
   * @throws MossError `damaged` when it is not there any more as it was
   */
  read(offset: number, length: number, options?: ReadOptions): Uint8Array | Promise<Uint8Array>;
}

/** One end of a delta: it is read as a whole. */
export interface DeltaEnd {
  /** Tells it from all others. */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** @throws MossError `damaged` when it is not there any more as it was */
  read(): Uint8Array | Promise<Uint8Array>;
}

export interface DeltaEnds {
  /** A file that is served. */
  readonly target: DeltaEnd;
  /** A file that is served, or that the policy lists as an earlier version of one that is. */
  readonly base: DeltaEnd;
}

/**
 * What this machine serves to others: what the announce policy lists, and nothing else. An adapter looks only into the
 * index of that policy. What is installed but not listed, and what nobody ever heard of, take the same way to the same
 * answer, so that neither the answer nor its time tells one from the other.
 */
export interface Holdings {
  /** What is served of each repository: 32 bytes each, the fingerprints of their root keys. */
  readonly repositories: readonly Uint8Array[];
  /** Whether there are frames, and whether there are the files of packages. Other blocks, such as manifests, may be there in any case. */
  readonly frames: boolean;
  readonly files: boolean;
  /** `undefined` for all that is not listed. */
  find(wanted: Wanted, options?: AbortOptions): Content | undefined | Promise<Content | undefined>;
  /**
   * Both ends of a delta between files, where that is served at all; `undefined` unless both are listed.
   *
   * @param unpacked whether what is in them is meant, as they are gzip
   */
  findEnds?(file: Cid, base: Cid, unpacked: boolean): DeltaEnds | undefined;
}
