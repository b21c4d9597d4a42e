import type { Cid } from '../dag/cid.ts';
import { LEAF_SIZE, leafCount, type FileId } from '../dag/file-id.ts';

/** A block that is wanted. */
export interface Want {
  cid: Cid;
  /** Bytes: exact where the manifest gives them, else the most that a block may have. */
  maxBytes: number;
  /** Where the block is a frame: what it brings. A source that has files and no frames may bring these instead. */
  files?: readonly WantedFile[] | undefined;
  /**
   * Blocks without which this one is of no use yet, such as what a frame is compressed against: it is asked for once
   * those of them that are wanted too were taken in. Such a block waits for none itself.
   */
  after?: readonly Cid[] | undefined;
  /** Whether the session goes on without it where it cannot be had. */
  optional?: boolean | undefined;
}

/** A file that is here, from which a delta may lead to another one. */
export interface DeltaBase {
  id: FileId;
  /** Bytes as it lies here. */
  size: number;
  /** Bytes of what is in it, where both are gzip and that is compared. */
  unpacked?: number | undefined;
}

/** A file, or some leaves of one, that a frame brings. */
export interface WantedFile {
  id: FileId;
  /** Bytes of the whole file, as its id has it: not unpacked. */
  size: number;
  /** Which leaves of a file above 1 MiB; all, where it is not given. */
  leaves?: { first: number; count: number } | undefined;
}

/** What is asked for at once: a whole small file, or one leaf of a large one. */
export interface FileUnit {
  id: FileId;
  /** Bytes of the whole file. */
  size: number;
  /** Which leaf of a file above 1 MiB. */
  leaf: number | undefined;
  /** Bytes of this unit; of what is in it, where it comes as a delta of that. */
  bytes: number;
  /** Where it is asked for as a delta: what that leads from. */
  base?: DeltaBase | undefined;
}

/**
 * A unit that came. It is to be verified: a whole file by its id, a leaf by its digest. Where it has a base, its content
 * is a zstd frame against that, and nobody has tried yet whether it unpacks.
 */
export interface ArrivedUnit extends FileUnit {
  content: Uint8Array;
  /** SHA-256 that the leaf must have: the links of the file, which were checked, say so. */
  digest: Uint8Array | undefined;
}

export function unitsOf(files: readonly WantedFile[]): FileUnit[] {
  return files.flatMap(({ id, size, leaves }): FileUnit[] => {
    if (size <= LEAF_SIZE) return [{ id, size, leaf: undefined, bytes: size }];
    const { first, count } = leaves ?? { first: 0, count: leafCount(size) };
    return Array.from({ length: count }, (_, i) => ({ id, size, leaf: first + i, bytes: Math.min(LEAF_SIZE, size - (first + i) * LEAF_SIZE) }));
  });
}

export function keyOf({ id, leaf }: FileUnit): string {
  return leaf === undefined ? id : `${id}/${leaf}`;
}
