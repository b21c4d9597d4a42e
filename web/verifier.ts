import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { Verifier } from '../core/ports/signer.ts';

/** Ed25519, which is what moss signs with: by WebCrypto where the browser has it. Other schemes are not known here. */
export const webVerifier: Verifier = {
  verify: async ({ keytype, scheme, public: key }, signature, bytes) => {
    if (keytype !== 'ed25519' || scheme !== 'ed25519' || !/^[0-9a-f]{64}$/i.test(key) || signature.length !== 64) return false;
    try {
      const raw = Uint8Array.from({ length: 32 }, (_, i) => Number.parseInt(key.slice(2 * i, 2 * i + 2), 16));
      return await publicKeyFromRaw(raw).verify(bytes, signature);
    } catch {
      return false;
    }
  },
};
