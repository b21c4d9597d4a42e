import { hash } from 'node:crypto';
import type { Hasher } from '../core/ports/hasher.ts';

interface SyncHasher extends Hasher {
  sha256(bytes: Uint8Array): Uint8Array;
}

/** SHA-256 by OpenSSL: 1.3 GiB/s with SHA-NI (measured). */
export const nodeHasher: SyncHasher = {
  sha256: (bytes) => hash('sha256', bytes, 'buffer'),
};
