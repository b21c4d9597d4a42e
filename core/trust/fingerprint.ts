import { MossError } from '../error.ts';
import type { Hasher } from '../ports/hasher.ts';
import { canonicalJson } from './canonical-json.ts';
import { keyJson } from './keys.ts';
import type { Root } from './metadata.ts';
import { encodeHex } from './text.ts';

/**
 * The fingerprint of a repository's root keys: the SHA-256, as 64 hex digits, of the keys of the root role in the
 * order of their text and of the threshold. It stays when other keys or expiries change, and changes when the root
 * keys do.
 */
export async function fingerprint(root: Root, hasher: Hasher): Promise<string> {
  const { keyIds, threshold } = root.roles.root;
  const keys = keyIds.flatMap((id) => root.keys.get(id) ?? []).toSorted((a, b) => (a.public < b.public ? -1 : 1));
  return encodeHex(await hasher.sha256(canonicalJson({ keys: keys.map(keyJson), threshold })));
}

/**
 * A fingerprint in groups that two people can read to each other.
 *
 * @example
 * formatFingerprint('0123456789abcdef'.repeat(4)).slice(0, 14); // '0123 4567 89ab'
 */
export function formatFingerprint(digits: string): string {
  return (digits.match(/.{1,4}/g) ?? []).join(' ');
}

/** @throws MossError `usage` for anything but 64 hex digits, with or without spaces, colons and dashes */
export function parseFingerprint(text: string): string {
  const digits = text.replaceAll(/[\s:-]/g, '').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(digits)) {
    throw new MossError('usage', 'a fingerprint has 64 digits from 0 to f', { hint: 'Copy it as the publisher gives it; spaces do not matter.' });
  }
  return digits;
}
