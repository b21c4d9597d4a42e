/** What a root's worker threads do. */
import type { FileId } from '../../core/dag/file-id.ts';
import type { Filter } from '../../core/dag/filter.ts';
import type { Taken } from '../../core/exchange/fetch-deltas.ts';
import type { DeltaBase } from '../../core/exchange/want.ts';
import type { Base } from '../../core/dag/table.ts';
import type { BaseRun } from '../../core/install/delta.ts';
import type { LinkMethod } from '../link/link-files.ts';
import type { PackedEntries } from '../link/packed-entries.ts';
import type { PackedLinks } from '../link/packed-links.ts';
import type { Modes } from './modes.ts';
import type { PackedPieces } from './packed-pieces.ts';

export interface UnpackTask {
  kind: 'unpack';
  root: string;
  cid: string;
  /** The block, transferred. */
  bytes: Uint8Array;
  plain: number;
  pieces: PackedPieces;
  base?: Base | undefined;
  bases?: readonly BaseRun[] | undefined;
  filter?: Filter | undefined;
}

/** A run of leaves of a large file that was written to its partial file. */
export interface WrittenRun {
  id: FileId;
  /** Bytes from the start of the file. */
  offset: number;
  length: number;
  /** SHA-256 of each leaf. */
  leaves: Uint8Array[];
}

export interface UnpackResult {
  runs: WrittenRun[];
  /** Files whose unpacked content waits for gzip. */
  recipes: FileId[];
}

/** Files, and leaves of large ones, that came by themselves: each is checked before it is written. */
export interface TakeTask {
  kind: 'take';
  root: string;
  units: TakenUnit[];
}

export interface TakenUnit {
  id: FileId;
  modes: Modes;
  content: Uint8Array;
  /** Which leaf of a large file this is, and the SHA-256 that it must have; a whole file has that of its id. */
  leaf: { index: number; sha256: Uint8Array } | undefined;
}

export interface TakeResult {
  /** For each unit: whether it was right, and is here now. */
  good: boolean[];
  runs: WrittenRun[];
}

/** Files that came as deltas against files of the store. */
export interface PatchTask {
  kind: 'patch';
  root: string;
  units: PatchedUnit[];
}

export interface PatchedUnit {
  id: FileId;
  modes: Modes;
  /** Bytes that the delta unpacks to: the file, or what is in it where its base says so. */
  bytes: number;
  /** One zstd frame. */
  content: Uint8Array;
  base: DeltaBase;
}

export interface PatchResult {
  patched: Taken[];
}

/** Files whose content is to be held against their ids. */
export interface CheckTask {
  kind: 'check';
  files: { path: string; id: FileId; size: number }[];
}

/** For each file: whether it is what it should be. */
export type CheckResult = boolean[];

/** Entries of a state to look at, and files among them to read. */
export interface InspectTask {
  kind: 'inspect';
  packed: PackedEntries;
}

/** For each entry of an `InspectTask`. */
export interface InspectResult {
  /** 0 where it looks as it should, else one more than the index into `PROBLEMS`. */
  problems: Uint8Array;
  /** `UNREAD`, `INTACT` or `WRONG`. */
  content: Uint8Array;
  /** The inode of a file that may be read: whoever has the same one has the same content. */
  dev: Float64Array;
  ino: Float64Array;
}
export const UNREAD = 0;
export const INTACT = 1;
export const WRONG = 2;

/** Files of which the store may have a copy. */
export interface LookTask {
  kind: 'look';
  root: string;
  /** Their ids, one after the other. */
  ids: string;
  sizes: Float64Array<ArrayBuffer>;
  /** In which modes each is wanted. */
  modes: Uint8Array<ArrayBuffer>;
}

/** For each file, the modes of which the store has a copy that looks as it was left: those that are wanted, else any. */
export type LookResult = Uint8Array;

/** Moves staged files of one shard into the store. */
export interface AdoptTask {
  kind: 'adopt';
  root: string;
  shard: string;
  files: { id: FileId; modes: Modes }[];
}

/** Links a part of a tree: the directories are there. */
export interface LinkTask {
  kind: 'link';
  root: string;
  method: LinkMethod;
  packed: PackedLinks;
}

/** What a thread of the store is told when it starts. */
export interface StoreThread {
  /** Whether another thread of the process talks to peers. */
  asksPeers: boolean;
}

export type StoreTask = UnpackTask | TakeTask | PatchTask | CheckTask | InspectTask | LookTask | AdoptTask | LinkTask;
export type StoreResult = UnpackResult | TakeResult | PatchResult | CheckResult | InspectResult | LookResult | undefined;
