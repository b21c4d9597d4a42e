import { MossError } from '../error.ts';
import type { Hasher } from '../ports/hasher.ts';
import { cidOf, DAG_CBOR, RAW, type Cid } from './cid.ts';
import { encodeCbor } from './codec.ts';

/** The most bytes that moss writes in one block. Readers refuse 2 MiB and more, which no IPFS node would pass on. */
export const BLOCK_SIZE = 1024 * 1024;
export const MAX_BLOCK_SIZE = 2 * BLOCK_SIZE - 1;

export interface Block {
  cid: Cid;
  bytes: Uint8Array;
}

/** A dag-cbor block of a structured value. */
export async function cborBlock(value: unknown, hasher: Hasher): Promise<Block> {
  const bytes = encodeCbor(value);
  checkSize(bytes);
  return { cid: cidOf(DAG_CBOR, await hasher.sha256(bytes)), bytes };
}

/** A raw block of bytes. */
export async function rawBlock(bytes: Uint8Array, hasher: Hasher): Promise<Block> {
  checkSize(bytes);
  return { cid: cidOf(RAW, await hasher.sha256(bytes)), bytes };
}

function checkSize(bytes: Uint8Array): void {
  if (bytes.length > MAX_BLOCK_SIZE) throw new MossError('bad-block', `a block of ${bytes.length} bytes is too large`);
}

/** @throws MossError `bad-block` when the bytes do not have the hash that the CID promises, or are too many. */
export async function verifyBlock(cid: Cid, bytes: Uint8Array, hasher: Hasher): Promise<void> {
  if (bytes.length > MAX_BLOCK_SIZE) throw new MossError('bad-block', `${cid.toString()} came with ${bytes.length} bytes`);
  if (!sameBytes(await hasher.sha256(bytes), cid.multihash.digest)) {
    throw new MossError('bad-block', `the bytes that came for ${cid.toString()} have another hash`, {
      hint: 'The source is damaged or hostile; another one may have the block.',
      data: { cid: cid.toString(), bytes: bytes.length },
    });
  }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
