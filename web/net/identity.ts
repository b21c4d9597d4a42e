import { generateKeyPair, privateKeyFromRaw } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { IDENTITY } from '../../core/donate/network.ts';
import type { MetadataStore } from '../../core/ports/metadata.ts';

/** The key of a tab as a peer: kept until everything is deleted, so that a reload is no new peer. */
export async function loadIdentity(records: MetadataStore): Promise<PrivateKey> {
  const kept = await records.get(IDENTITY);
  if (kept !== undefined) {
    try {
      return privateKeyFromRaw(kept);
    } catch {
      // A damaged key is replaced.
    }
  }
  const key = await generateKeyPair('Ed25519');
  await records.put(IDENTITY, key.raw);
  return key;
}
