import { type KeyObject, constants, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MossError } from '../../core/error.ts';
import type { PublicKey, Signer } from '../../core/ports/signer.ts';
import { keyId } from '../../core/trust/keys.ts';
import { nodeHasher } from '../hasher.ts';
import { isEncrypted, readPrivateKey, writePrivateKey } from './private-key-pem.ts';
import { codeOf, writeDurably } from './write-durably.ts';

/**
 * Key files: the public key and, below it, the private one, both in PEM. The public part says which key it is without
 * a passphrase. Mode 0600 always.
 */
export interface KeyFile {
  readonly file: string;
  readonly keyId: string;
  readonly key: PublicKey;
  readonly encrypted: boolean;
  /** Whether others than the owner can read it, which they should not. */
  readonly exposed: boolean;
}

const PUBLIC_BLOCK = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/;
const PRIVATE_BLOCK = /-----BEGIN (?<kind>(?:ENCRYPTED )?PRIVATE KEY)-----[^-]+-----END \k<kind>-----/;

export interface CreateKeyOptions {
  readonly directory: string;
  /** The beginning of the file's name, such as `timestamp`; the rest is from the key's id. */
  readonly name: string;
  readonly passphrase?: string | undefined;
}

/** Makes an Ed25519 key. */
export async function createKey({ directory, name, passphrase }: CreateKeyOptions): Promise<KeyFile> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const key = publicKeyOf(publicKey);
  const id = await keyId(key, nodeHasher);
  const file = join(directory, `${name}-${id.slice(0, 8)}.pem`);
  const text = `${publicKey.export({ type: 'spki', format: 'pem' }).toString()}${writePrivateKey(privateKey, passphrase)}`;
  await writeDurably(file, text, { mode: 0o600 });
  return { file, keyId: id, key, encrypted: passphrase !== undefined, exposed: false };
}

/**
 * A signer from a key file, or from any private key in PKCS#8: Ed25519, ECDSA P-256, RSA.
 *
 * @throws MossError `bad-passphrase`, `not-found`, `bad-metadata` when the file is damaged, `unsupported`
 */
export async function loadSigner(file: string, passphrase?: string): Promise<Signer> {
  const text = await readText(file);
  const block = PRIVATE_BLOCK.exec(text)?.[0];
  if (block === undefined) throw new MossError('bad-metadata', `${file} holds no private key`);
  const privateKey = readPrivateKey(block, passphrase, file);
  const key = publicKeyOf(createPublicKey(privateKey));
  const stated = PUBLIC_BLOCK.exec(text)?.[0];
  if (stated !== undefined && publicKeyOf(readPublicKey(stated, file)).public !== key.public) {
    throw new MossError('bad-metadata', `the two halves of ${file} do not belong together`);
  }
  return { key, sign: (bytes) => Promise.resolve(signBytes(privateKey, bytes)) };
}

/** The key files of a directory, in the order of their names; other files are passed over. */
export async function listKeys(directory: string): Promise<readonly KeyFile[]> {
  let names: string[];
  try {
    names = (await readdir(directory)).filter((name) => name.endsWith('.pem')).toSorted();
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return [];
    throw new MossError('io', `${directory} cannot be read`, { cause });
  }
  const keys: KeyFile[] = [];
  for (const name of names) {
    const file = join(directory, name);
    const text = await readText(file);
    const stated = PUBLIC_BLOCK.exec(text)?.[0];
    const block = PRIVATE_BLOCK.exec(text)?.[0];
    if (block === undefined || (stated === undefined && isEncrypted(block))) continue;
    const key = publicKeyOf(stated === undefined ? createPublicKey(readPrivateKey(block, undefined, file)) : readPublicKey(stated, file));
    const { mode } = await stat(file);
    keys.push({ file, keyId: await keyId(key, nodeHasher), key, encrypted: isEncrypted(block), exposed: (mode & 0o077) !== 0 });
  }
  return keys;
}

function signBytes(key: KeyObject, bytes: Uint8Array): Uint8Array {
  if (key.asymmetricKeyType === 'ed25519') return sign(undefined, bytes, key);
  if (key.asymmetricKeyType === 'ec') return sign('sha256', bytes, key);
  return sign('sha256', bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}

function publicKeyOf(key: KeyObject): PublicKey {
  const details = key.asymmetricKeyDetails;
  const pem = (): string => key.export({ type: 'spki', format: 'pem' }).toString();
  if (key.asymmetricKeyType === 'ed25519') {
    const { x } = key.export({ format: 'jwk' });
    return { keytype: 'ed25519', scheme: 'ed25519', public: Buffer.from(x ?? '', 'base64url').toString('hex') };
  }
  if (key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1') return { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', public: pem() };
  if (key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= 2048) return { keytype: 'rsa', scheme: 'rsassa-pss-sha256', public: pem() };
  throw new MossError('unsupported', `keys of the type ${key.asymmetricKeyType ?? 'unknown'} are not used here`, {
    hint: 'Use Ed25519, ECDSA on P-256, or RSA of 2,048 bits and more.',
  });
}

function readPublicKey(pem: string, file: string): KeyObject {
  try {
    return createPublicKey({ key: pem, format: 'pem' });
  } catch (cause) {
    throw new MossError('bad-metadata', `${file} is damaged: its public key cannot be read`, { cause });
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const missing = codeOf(cause) === 'ENOENT';
    throw new MossError(missing ? 'not-found' : 'io', missing ? `there is no key file ${file}` : `${file} cannot be read`, { cause });
  }
}
