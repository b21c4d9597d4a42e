import { cidOf, DAG_CBOR, DAG_PB, RAW, type Cid } from '../../core/dag/cid.ts';
import { MAX_BLOCK_SIZE, sameBytes } from '../../core/dag/block.ts';
import { MossError } from '../../core/error.ts';
import { KEY_SIZE } from './slot.ts';

export function keyOfCid(cid: Cid): Uint8Array {
  const key = new Uint8Array(KEY_SIZE);
  key[0] = cid.code;
  key.set(cid.multihash.digest, 1);
  return key;
}

/** `undefined` for what is no key of a block of moss. */
export function cidOfKey(key: Uint8Array): Cid | undefined {
  const codec = key[0];
  if (codec !== RAW && codec !== DAG_PB && codec !== DAG_CBOR) return undefined;
  return cidOf(codec, key.slice(1));
}

export async function isBlockOf(key: Uint8Array, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  if (bytes.length > MAX_BLOCK_SIZE) return false;
  return sameBytes(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), key.subarray(1));
}

/** @throws MossError `bad-block` */
export async function requireBlockOf(key: Uint8Array, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  if (!(await isBlockOf(key, bytes))) throw new MossError('bad-block', 'the bytes of a block have another hash than its name says');
}
