import { hash } from 'node:crypto';
import type { Hasher } from '../core/ports/hasher.ts';

/** SHA-256 by OpenSSL: 1.3 GiB/s with SHA-NI (measured). */
export const nodeHasher: Hasher & { sha256(bytes: Uint8Array): Uint8Array } = {
  sha256: (bytes) => hash('sha256', bytes, 'buffer'),
};
