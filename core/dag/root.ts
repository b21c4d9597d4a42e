/** The root of a repository's revision: one dag-cbor block, named by signed metadata. */
import { MossError } from '../error.ts';
import { asCid, checkCid, type Cid } from './cid.ts';
import { decodeCbor } from './codec.ts';
import { Fields } from './fields.ts';
import { decodeFrameRef, type FrameRef } from './manifest.ts';

export const ROOT_VERSION = 1;

/** A file, and the frames that bring it, in order. */
export interface FileRef {
  /** SHA-256 of the content. */
  sha256: Uint8Array;
  /** Bytes. */
  size: number;
  frames: FrameRef[];
}

export interface Root {
  name: string;
  /** 1, 2, 3, ...: one more with each publication. */
  revision: number;
  /** The index: see `repo/index-file.ts`. */
  index: FileRef;
  /**
   * Blocks with links to every manifest. moss itself finds manifests by the index; these are for whoever pins the
   * repository by its root without knowing more than dag-cbor.
   */
  manifests: Cid[];
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
  const index = fields.map('index');
  const sha256 = index.bytes('sha256', 32);
  if (sha256.length !== 32) throw index.wrong('sha256', 'a SHA-256 digest');
  return {
    name: fields.text('name', 256),
    revision: fields.int('revision', 1),
    index: { sha256, size: index.int('size', 0, MAX_INDEX_SIZE), frames: index.maps('frames').map(decodeFrameRef) },
    manifests: fields.cids('manifests'),
    previous: fields.has('previous') ? fields.cid('previous') : undefined,
  };
}

/** Bytes: an index is held in memory; Debian's whole main archive is about 60 MB. */
export const MAX_INDEX_SIZE = 1024 * 1024 * 1024;

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
