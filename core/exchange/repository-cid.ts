import { cidOf, RAW, type Cid } from '../dag/cid.ts';
import type { Hasher } from '../ports/hasher.ts';

const PREFIX = 'moss repository\0';

/**
 * The name under which the peers of a repository find each other in the swarm. It is a hash: who does not know the
 * repository cannot tell which one it is.
 *
 * @param fingerprint of its root keys, 32 bytes
 */
export async function repositoryCid(fingerprint: Uint8Array, hasher: Hasher): Promise<Cid> {
  const text = Uint8Array.from(PREFIX, (letter) => letter.charCodeAt(0));
  const bytes = new Uint8Array(text.length + fingerprint.length);
  bytes.set(text);
  bytes.set(fingerprint, text.length);
  return cidOf(RAW, await hasher.sha256(bytes));
}
