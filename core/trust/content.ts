import { MossError } from '../error.ts';
import type { Hasher } from '../ports/hasher.ts';
import { encodeHex } from './text.ts';

/** A hasher that may know SHA-512 too, which other TUF repositories use. Those of moss need SHA-256 only. */
export interface TrustHasher extends Hasher {
  sha512?(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** What signed metadata promises of a file. */
export interface Promised {
  /** Bytes. */
  readonly length?: number | undefined;
  readonly hashes?: ReadonlyMap<string, string> | undefined;
}

/**
 * Whether a file is the one that was promised (TUF sections 5.5.2, 5.6.2, 5.7.3): its length, and each hash that is
 * known here. One at least must be.
 *
 * @throws MossError `metadata-mismatch`
 */
export async function checkContent(name: string, bytes: Uint8Array, promised: Promised, hasher: TrustHasher): Promise<void> {
  if (promised.length !== undefined && bytes.length !== promised.length) {
    throw mismatch(name, `has ${bytes.length} bytes, and ${promised.length} were signed for`);
  }
  if (promised.hashes === undefined) return;
  let known = 0;
  for (const [algorithm, expected] of promised.hashes) {
    const digest = await digestOf(algorithm, bytes, hasher);
    if (digest === undefined) continue;
    known += 1;
    if (encodeHex(digest) !== expected) throw mismatch(name, `does not have the ${algorithm} hash that was signed for`);
  }
  if (known === 0) throw mismatch(name, `is signed for with no hash that can be checked here: ${[...promised.hashes.keys()].join(', ')}`);
}

function digestOf(algorithm: string, bytes: Uint8Array, hasher: TrustHasher): Uint8Array | Promise<Uint8Array> | undefined {
  if (algorithm === 'sha256') return hasher.sha256(bytes);
  if (algorithm === 'sha512') return hasher.sha512?.(bytes);
  return undefined;
}

function mismatch(name: string, what: string): MossError {
  return new MossError('metadata-mismatch', `${name} ${what}`, {
    hint: 'The source holds a damaged or exchanged copy. Try again, or use another source.',
    data: { file: name },
  });
}
