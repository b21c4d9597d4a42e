import type { Hasher } from '../core/ports/hasher.ts';

/** SHA-256 by WebCrypto, which hashes on a thread of the browser's own. */
export const webHasher: Hasher = {
  sha256: async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', plain(bytes))),
};

/** WebCrypto takes no memory that is shared between threads; bytes that came over a connection never are. */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : bytes.slice();
}
