import { MossError } from '../error.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { PublicKey } from '../ports/signer.ts';
import { type JsonObject, canonicalJson } from './canonical-json.ts';
import { encodeHex } from './text.ts';

/** A key in the words of TUF section 4.2. */
export function keyJson(key: PublicKey): JsonObject {
  return { keytype: key.keytype, scheme: key.scheme, keyval: { public: key.public } };
}

/** The id of a key: the SHA-256 of its canonical form in hex (TUF section 4.2, KEYID). */
export async function keyId(key: PublicKey, hasher: Hasher): Promise<string> {
  return encodeHex(await hasher.sha256(canonicalJson(keyJson(key))));
}

/** Keys and how many of them must sign. */
export interface RoleKeys {
  readonly keyIds: readonly string[];
  readonly threshold: number;
}

/** @throws MossError `usage` when the threshold can never be reached or is not a positive number. */
export function checkThreshold(role: string, keys: number, threshold: number): void {
  if (!Number.isSafeInteger(threshold) || threshold < 1 || threshold > keys) {
    throw new MossError('usage', `${role} has ${keys} keys, so its threshold cannot be ${threshold}`, {
      hint: `Give a threshold from 1 to ${keys}.`,
      data: { role, keys, threshold },
    });
  }
}
