/** The root of a repository's revision: one dag-cbor block, named by signed metadata. */
import { MossError } from '../error.ts';
import { asCid, checkCid, type Cid } from './cid.ts';
import { decodeCbor } from './codec.ts';
import { Fields } from './fields.ts';
import { decodeFrameRef, type FrameRef } from './manifest.ts';
import { MAX_BASE } from './table.ts';

export const ROOT_VERSION = 1;

/** A file, and the frames that bring it, in order. */
export interface FileRef {
  /** SHA-256 of the content. */
  sha256: Uint8Array;
  /** Bytes. */
  size: number;
  frames: FrameRef[];
}

/** A frame that is compressed against a run of an earlier index. */
export interface DeltaFrameRef extends FrameRef {
  /** Where the run starts in the earlier index, and how long it is, in bytes; a run of 0 bytes is none. */
  offset: number;
  length: number;
}

/** The way from the index of an earlier revision to this one. */
export interface IndexDelta {
  /** The root of the earlier revision: it may know the way from revisions before it. */
  root: Cid;
  revision: number;
  /** SHA-256 of the earlier index. */
  sha256: Uint8Array;
  /** They bring the whole of this index, in order. */
  frames: DeltaFrameRef[];
}

export interface IndexRef extends FileRef {
  deltas: IndexDelta[];
}

export interface Root {
  name: string;
  /** 1, 2, 3, ...: one more with each publication. */
  revision: number;
  /** The index: see `repo/index-file.ts`. */
  index: IndexRef;
  /**
   * Blocks with links to every manifest. moss itself finds manifests by the index; these are for whoever pins the
   * repository by its root without knowing more than dag-cbor.
   */
  manifests: Cid[];
  /** The top of the tree that lists deltas (`delta-map.ts`), where there are any. */
  deltas?: Cid | undefined;
  /** The revision before this one. */
  previous: Cid | undefined;
}

export function rootValue(root: Root): Record<string, unknown> {
  return {
    moss: ROOT_VERSION,
    name: root.name,
    revision: root.revision,
    index: root.index,
    manifests: root.manifests,
    ...(root.deltas !== undefined && { deltas: root.deltas }),
    previous: root.previous ?? null,
    plan: null,
    popularity: null,
  };
}

/** @throws MossError `bad-index`, `unsupported` */
export function decodeRoot(bytes: Uint8Array): Root {
  const fields = new Fields(decodeCbor(bytes, 'bad-index', 'a repository root'), 'bad-index', 'repository root');
  const version = fields.int('moss', 1);
  if (version > ROOT_VERSION) throw new MossError('unsupported', `a repository of version ${version}`, { hint: 'Update moss.' });
  const revision = fields.int('revision', 1);
  return {
    name: fields.text('name', 256),
    revision,
    index: decodeIndexRef(fields.map('index'), revision),
    manifests: fields.cids('manifests'),
    deltas: fields.has('deltas') ? fields.cid('deltas') : undefined,
    previous: fields.has('previous') ? fields.cid('previous') : undefined,
  };
}

function decodeIndexRef(fields: Fields, revision: number): IndexRef {
  const size = fields.int('size', 0, MAX_INDEX_SIZE);
  const frames = fields.maps('frames').map(decodeFrameRef);
  requireSize(fields, frames, size);
  const deltas = fields.has('deltas') ? fields.maps('deltas', MAX_DELTAS) : [];
  return { sha256: decodeDigest(fields), size, frames, deltas: deltas.map((delta) => decodeDelta(delta, revision, size)) };
}

function decodeDelta(fields: Fields, revision: number, size: number): IndexDelta {
  const frames = fields.maps('frames').map(decodeDeltaFrame);
  requireSize(fields, frames, size);
  // Only ever back: so that a walk from root to root ends.
  return { root: fields.cid('root'), revision: fields.int('revision', 1, revision - 1), sha256: decodeDigest(fields), frames };
}

function decodeDeltaFrame(fields: Fields): DeltaFrameRef {
  return { ...decodeFrameRef(fields), offset: fields.int('offset', 0, MAX_INDEX_SIZE), length: fields.int('length', 0, MAX_BASE) };
}

function decodeDigest(fields: Fields): Uint8Array {
  const sha256 = fields.bytes('sha256', 32);
  if (sha256.length !== 32) throw fields.wrong('sha256', 'a SHA-256 digest');
  return sha256;
}

function requireSize(fields: Fields, frames: readonly FrameRef[], size: number): void {
  if (frames.reduce((sum, { plain }) => sum + plain, 0) !== size) throw fields.wrong('frames', `frames of ${size} bytes together`);
}

/** Bytes: an index is held in memory; Debian's whole main archive is about 60 MB. */
export const MAX_INDEX_SIZE = 1024 * 1024 * 1024;

/** How many earlier revisions a root may know the way from; moss writes at most nine. */
const MAX_DELTAS = 64;

/** How many links a block of links holds: 1 MiB of them. */
export const LINKS_PER_BLOCK = 25_000;

/** The links of a block of links. */
export function decodeLinks(bytes: Uint8Array): Cid[] {
  const value = decodeCbor(bytes, 'bad-index', 'a list of manifests');
  if (!Array.isArray(value)) throw new MossError('bad-index', 'a list of manifests is not a list');
  return value.map((item) => {
    const cid = asCid(item);
    if (cid === undefined) throw new MossError('bad-index', 'a list of manifests holds something else');
    checkCid(cid);
    return cid;
  });
}
