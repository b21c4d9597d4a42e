import { type KeyObject, createCipheriv, createPrivateKey, randomBytes, scryptSync } from 'node:crypto';
import { MossError } from '../../core/error.ts';

/**
 * Private keys as PKCS#8 in PEM, in the clear or encrypted (RFC 5958, RFC 8018 PBES2) with scrypt (RFC 7914) and
 * AES-256-CBC: what `openssl pkcs8 -topk8 -scrypt` writes, and `openssl pkey` reads. It is put together here because
 * `node:crypto` only writes PBKDF2 with 2,048 rounds, which a graphics card tries by the million a second.
 */

/** 16 MiB and five passes for each guess; OpenSSL reads no more than 32 MiB. */
const SCRYPT = { N: 16_384, r: 8, p: 5 } as const;
const OID = {
  pbes2: '06092a864886f70d01050d',
  scrypt: '06092b06010401da47040b',
  aes256cbc: '060960864801650304012a',
} as const;

export function writePrivateKey(key: KeyObject, passphrase: string | undefined): string {
  if (passphrase === undefined) return key.export({ type: 'pkcs8', format: 'pem' }).toString();
  if (passphrase === '') throw new MossError('usage', 'an empty passphrase protects nothing', { hint: 'Give one, or none at all.' });
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const cipher = createCipheriv('aes-256-cbc', scryptSync(passphrase, salt, 32, SCRYPT), iv);
  const encrypted = Buffer.concat([cipher.update(key.export({ type: 'pkcs8', format: 'der' })), cipher.final()]);
  const derivation = sequence(oid(OID.scrypt), sequence(octets(salt), integer(SCRYPT.N), integer(SCRYPT.r), integer(SCRYPT.p)));
  const encryption = sequence(oid(OID.aes256cbc), octets(iv));
  const info = sequence(sequence(oid(OID.pbes2), sequence(derivation, encryption)), octets(encrypted));
  const lines = info.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${lines.join('\n')}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
}

export function isEncrypted(pem: string): boolean {
  return pem.includes('BEGIN ENCRYPTED PRIVATE KEY');
}

/** @throws MossError `bad-passphrase`, `bad-metadata` when it is no private key */
export function readPrivateKey(pem: string, passphrase: string | undefined, name: string): KeyObject {
  const encrypted = isEncrypted(pem);
  if (encrypted && passphrase === undefined) {
    throw new MossError('bad-passphrase', `${name} is encrypted, and no passphrase was given`, { hint: 'Give its passphrase.' });
  }
  try {
    return createPrivateKey({ key: pem, format: 'pem', ...(encrypted ? { passphrase } : {}) });
  } catch (cause) {
    if (encrypted) throw new MossError('bad-passphrase', `${name} does not open with this passphrase`, { hint: 'Try again.', cause });
    throw new MossError('bad-metadata', `${name} is not a private key`, { cause });
  }
}

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

function octets(bytes: Buffer): Buffer {
  return element(0x04, bytes);
}

/** A positive integer below 2^31, in the fewest bytes that keep it positive (X.690 section 8.3). */
function integer(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest >>= 8) bytes.unshift(rest & 0xff);
  return element(0x02, Buffer.from((bytes[0] ?? 0) >= 0x80 || bytes.length === 0 ? [0, ...bytes] : bytes));
}

function oid(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
