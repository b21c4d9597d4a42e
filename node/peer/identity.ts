/** The key of a root as a peer: made once and kept, so that its peer id and its addresses stay. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { MossError } from '../../core/error.ts';
import { writeFileDurably } from '../store/durable.ts';

/** Bytes of DER before the raw key (RFC 8410): the last 32 bytes of either form are the key itself. */
const RAW_KEY = 32;

/**
 * The Ed25519 key in a file (PKCS#8 in PEM, mode 0600), which is made where there is none.
 *
 * @throws MossError `damaged` when the file is no such key
 */
export function loadIdentity(path: string): PrivateKey {
  if (existsSync(path)) return toLibp2p(readKey(path));
  const { privateKey } = generateKeyPairSync('ed25519');
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileDurably(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  return toLibp2p(privateKey);
}

/** A key for one run, which nobody meets again. */
export function passingIdentity(): PrivateKey {
  return toLibp2p(generateKeyPairSync('ed25519').privateKey);
}

function readKey(path: string): KeyObject {
  try {
    const key = createPrivateKey(readFileSync(path));
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    throw damaged(path, cause);
  }
  throw damaged(path);
}

function damaged(path: string, cause?: unknown): MossError {
  return new MossError('damaged', `${path} is no Ed25519 key`, { hint: 'Remove it: a new one is made, and other peers see a new peer.', cause, data: { path } });
}

/** libp2p wants the seed and the public key, one behind the other. */
function toLibp2p(key: KeyObject): PrivateKey {
  const seed = key.export({ type: 'pkcs8', format: 'der' }).subarray(-RAW_KEY);
  const point = createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-RAW_KEY);
  return privateKeyFromRaw(Buffer.concat([seed, point]));
}
