import { createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { MossError } from '../../core/error.ts';
import type { PublicKey } from '../../core/ports/signer.ts';

const PEM = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/;

/**
 * An Ed25519 public key as it comes from another machine: its 64 hex digits, or a file with it in PEM.
 *
 * @throws MossError `usage`, `unsupported`
 */
export function readPublicKey(text: string): PublicKey {
  if (/^[0-9a-f]{64}$/i.test(text)) return { keytype: 'ed25519', scheme: 'ed25519', public: text.toLowerCase() };
  const pem = existsSync(text) ? PEM.exec(readFileSync(text, 'utf8'))?.[0] : undefined;
  if (pem === undefined) throw new MossError('usage', `${text} is neither 64 hex digits nor a file with a public key in PEM`);
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') throw new MossError('unsupported', `${text} is no Ed25519 key`, { hint: 'Make one with `moss repo key create`.' });
  return { keytype: 'ed25519', scheme: 'ed25519', public: Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex') };
}
