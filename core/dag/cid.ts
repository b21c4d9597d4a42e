import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { MossError } from '../error.ts';

/** CIDv1 over SHA-256 (multicodec table). */
export type Cid = CID;

/** Multicodec of bytes without structure. */
export const RAW = 0x55;
/** Multicodec of dag-pb, which UnixFS files above one block use. */
export const DAG_PB = 0x70;
/** Multicodec of dag-cbor, which all structured nodes use. */
export const DAG_CBOR = 0x71;

const SHA2_256 = 0x12;
const CODECS: ReadonlySet<number> = new Set([RAW, DAG_PB, DAG_CBOR]);

/** A CID from a 32-byte SHA-256 digest. */
export function cidOf(codec: typeof RAW | typeof DAG_PB | typeof DAG_CBOR, digest: Uint8Array): Cid {
  if (digest.length !== 32) throw new MossError('bad-cid', `a SHA-256 digest has 32 bytes, not ${digest.length}`);
  return CID.createV1(codec, createDigest(SHA2_256, digest));
}

/**
 * A CID from its text.
 *
 * @throws MossError `bad-cid` for anything but a CIDv1 over SHA-256 of a raw, dag-pb or dag-cbor block in base32.
 */
export function parseCid(text: string): Cid {
  if (text.length > 100) throw new MossError('bad-cid', 'a CID of more than 100 characters');
  let cid: CID;
  try {
    cid = CID.parse(text);
  } catch (cause) {
    throw new MossError('bad-cid', `not a CID: ${text}`, { cause });
  }
  checkCid(cid);
  if (cid.toString() !== text) throw new MossError('bad-cid', `not in base32: ${text}`);
  return cid;
}

/** @throws MossError `bad-cid` for a kind of CID that moss does not use. */
export function checkCid(cid: CID): void {
  if (cid.version !== 1 || cid.multihash.code !== SHA2_256 || cid.multihash.digest.length !== 32 || !CODECS.has(cid.code)) {
    throw new MossError('bad-cid', `${cid.toString()} is not a CIDv1 over SHA-256 of a raw, dag-pb or dag-cbor block`);
  }
}

/** Whether a decoded dag-cbor value is a link. */
export function asCid(value: unknown): Cid | undefined {
  return CID.asCID(value) ?? undefined;
}
