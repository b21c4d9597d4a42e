/**
 * The id of a file: its CID under the `unixfs-v1-2025` profile (IPIP-499). Up to 1 MiB that is the raw leaf, so simply
 * the SHA-256 of the content; above, the dag-pb root over 1 MiB leaves, with at most 1,024 links a node.
 */
import { encode as encodePb } from '@ipld/dag-pb';
import { MossError } from '../error.ts';
import type { Hasher } from '../ports/hasher.ts';
import { cidOf, DAG_PB, RAW, type Cid } from './cid.ts';

declare const fileId: unique symbol;
/** The text of a file's CID, in base32. */
export type FileId = string & { readonly [fileId]: true };

/** Bytes in a leaf: the chunk size of the profile. */
export const LEAF_SIZE = 1024 * 1024;
/** Links in a node: the DAG width of the profile. */
const WIDTH = 1024;

/** How many leaves a file of `size` bytes has; an empty file is one empty leaf. */
export function leafCount(size: number): number {
  return Math.max(1, Math.ceil(size / LEAF_SIZE));
}

/** The id that a digest stands for: the codec follows from the size. */
export function fileIdFromDigest(digest: Uint8Array, size: number): FileId {
  if (digest.length !== DIGEST_SIZE) return asFileId(cidOf(size <= LEAF_SIZE ? RAW : DAG_PB, digest));
  return textOf(size <= LEAF_SIZE ? RAW : DAG_PB, digest) as FileId;
}

const DIGEST_SIZE = 32;
const BASE32 = Array.from('abcdefghijklmnopqrstuvwxyz234567', (letter) => letter.charCodeAt(0));
/** Characters of every file id: `b`, and 36 bytes in base32. */
export const FILE_ID_LENGTH = 59;
const codes: number[] = Array.from({ length: FILE_ID_LENGTH }, () => 'b'.charCodeAt(0));

/**
 * What `cidOf(codec, digest).toString()` gives, ten times as fast: tables hold tens of thousands of digests, and a text
 * that was put together letter by letter has to be made one piece again wherever it is looked up.
 */
function textOf(codec: number, digest: Uint8Array): string {
  let bits = 0;
  let value = 0;
  let at = 1;
  for (let i = 0; i < 4 + DIGEST_SIZE; i++) {
    // Version, codec, and that 32 bytes of SHA-256 follow.
    const byte = i === 0 ? 1 : i === 1 ? codec : i === 2 ? 0x12 : i === 3 ? DIGEST_SIZE : (digest[i - 4] ?? 0);
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      codes[at++] = BASE32[(value >>> bits) & 31] ?? 0;
    }
  }
  codes[at] = BASE32[(value << (5 - bits)) & 31] ?? 0;
  return String.fromCharCode(...codes);
}

/** The id as a `FileId`. */
export function asFileId(cid: Cid): FileId {
  return cid.toString() as FileId;
}

interface Node {
  cid: Cid;
  /** Bytes of the file below this node. */
  fileSize: number;
  /** Bytes of all blocks below and at this node (dag-pb's `Tsize`). */
  blockSize: number;
}

/**
 * The id of a file from the SHA-256 digests of its leaves, in order.
 *
 * @param digests one for each {@link LEAF_SIZE} bytes of the file
 * @param size bytes of the file
 */
export async function fileIdFromLeaves(digests: readonly Uint8Array[], size: number, hasher: Hasher): Promise<FileId> {
  return asFileId((await fileDag(digests, size, hasher)).root);
}

/** The dag-pb nodes above the leaves (none for a file of one leaf), and the root. */
export async function fileDag(
  digests: readonly Uint8Array[],
  size: number,
  hasher: Hasher,
): Promise<{ root: Cid; nodes: { cid: Cid; bytes: Uint8Array }[] }> {
  if (digests.length !== leafCount(size)) {
    throw new MossError('bug', `${size} bytes are ${leafCount(size)} leaves, not ${digests.length}`);
  }
  const nodes: { cid: Cid; bytes: Uint8Array }[] = [];
  let level: Node[] = digests.map((digest, i) => {
    const bytes = Math.min(LEAF_SIZE, size - i * LEAF_SIZE);
    return { cid: cidOf(RAW, digest), fileSize: bytes, blockSize: bytes };
  });
  while (level.length > 1) {
    const above: Node[] = [];
    for (let i = 0; i < level.length; i += WIDTH) {
      const children = level.slice(i, i + WIDTH);
      const fileSize = children.reduce((sum, child) => sum + child.fileSize, 0);
      const bytes = encodePb({
        Data: unixfsFile(fileSize, children.map((child) => child.fileSize)),
        Links: children.map((child) => ({ Hash: child.cid, Name: '', Tsize: child.blockSize })),
      });
      const cid = cidOf(DAG_PB, await hasher.sha256(bytes));
      nodes.push({ cid, bytes });
      above.push({ cid, fileSize, blockSize: bytes.length + children.reduce((sum, child) => sum + child.blockSize, 0) });
    }
    level = above;
  }
  const [top] = level;
  if (top === undefined) throw new MossError('bug', 'a file without leaves');
  return { root: top.cid, nodes };
}

/** UnixFS 1.0 `Data` of a file node: type 2 (field 1), filesize (field 3), blocksizes (field 4, not packed). */
function unixfsFile(fileSize: number, blockSizes: readonly number[]): Uint8Array {
  const out: number[] = [0x08, 2, 0x18];
  pushVarint(out, fileSize);
  for (const size of blockSizes) {
    out.push(0x20);
    pushVarint(out, size);
  }
  return Uint8Array.from(out);
}

/** Unsigned LEB128, up to 2^53. */
function pushVarint(out: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
}
