import { MossError } from '../error.ts';
import type { PublicKey, Verifier } from '../ports/signer.ts';
import type { RoleKeys } from './keys.ts';
import type { AnySigned, Signed } from './metadata.ts';
import { decodeHex } from './text.ts';

export interface SignatureCheck {
  /** The role, for the message. */
  readonly role: string;
  readonly metadata: Signed<AnySigned>;
  /** The keys of whoever delegates to the role, and which of them it has. */
  readonly keys: ReadonlyMap<string, PublicKey>;
  readonly roleKeys: RoleKeys;
  readonly verifier: Verifier;
}

/**
 * The ids of the role's keys that signed, each key once.
 *
 * A key counts by its own text, not by its id: the same key under two ids counts once. Ids need not be the hash of
 * the key (TAP 12, and repositories in use whose keys carry further fields), so ids alone prove nothing.
 */
export async function signersOf({ metadata, keys, roleKeys, verifier }: Omit<SignatureCheck, 'role'>): Promise<ReadonlySet<string>> {
  const signers = new Map<string, string>();
  for (const { keyId, sig } of metadata.signatures) {
    const key = roleKeys.keyIds.includes(keyId) ? keys.get(keyId) : undefined;
    const signature = decodeHex(sig);
    if (key === undefined || signature === undefined || signers.has(key.public)) continue;
    if (await verifier.verify(key, signature, metadata.payload)) signers.set(key.public, keyId);
  }
  return new Set(signers.values());
}

/**
 * The check for an arbitrary software attack (TUF sections 5.3.4, 5.4.2, 5.5.3, 5.6.3).
 *
 * @throws MossError `bad-signature`
 */
export async function checkSignatures(check: SignatureCheck): Promise<void> {
  const signers = await signersOf(check);
  const { role, roleKeys, metadata } = check;
  if (signers.size < roleKeys.threshold) {
    throw new MossError(
      'bad-signature',
      `${role} metadata, version ${metadata.signed.version}, is signed by ${signers.size} of the trusted keys; ${roleKeys.threshold} must sign`,
      {
        hint: 'This copy was not made by the publisher, or was damaged. Use another source, or ask the publisher.',
        data: { role, signed: signers.size, threshold: roleKeys.threshold },
      },
    );
  }
}
