import { type KeyObject, constants, createPublicKey, verify } from 'node:crypto';
import type { PublicKey, Verifier } from '../../core/ports/signer.ts';

/** What `node:crypto` must be told for each scheme of TUF section 4.2. */
const SCHEMES: Readonly<Record<string, { keytypes: readonly string[]; digest: string | undefined; pss: boolean }>> = {
  ed25519: { keytypes: ['ed25519'], digest: undefined, pss: false },
  // Repositories of older tools name the type after the scheme.
  'ecdsa-sha2-nistp256': { keytypes: ['ecdsa', 'ecdsa-sha2-nistp256'], digest: 'sha256', pss: false },
  'rsassa-pss-sha256': { keytypes: ['rsa'], digest: 'sha256', pss: true },
};

/** RSA keys below this many bits are not accepted (TUF section 4.2). */
const RSA_BITS = 2048;
/** Keys are few and used over and over; the bound is for what a hostile file may hold. */
const CACHED_KEYS = 256;

/** Signatures by OpenSSL: Ed25519, ECDSA on P-256 (signatures in DER, as TUF tools write them) and RSA-PSS. */
export function nodeVerifier(): Verifier {
  const known = new Map<string, KeyObject | undefined>();
  return {
    async verify(key, signature, bytes) {
      const name = `${key.scheme} ${key.public}`;
      if (!known.has(name)) {
        if (known.size >= CACHED_KEYS) known.clear();
        known.set(name, openKey(key));
      }
      const opened = known.get(name);
      const scheme = SCHEMES[key.scheme];
      if (opened === undefined || scheme === undefined || !scheme.keytypes.includes(key.keytype)) return false;
      try {
        return verify(scheme.digest, bytes, scheme.pss ? pss(opened) : opened, signature);
      } catch {
        // OpenSSL throws for some malformed signatures where it could say no.
        return false;
      }
    },
  };
}

/** Signers may use any length of salt. */
function pss(key: KeyObject): Parameters<typeof verify>[2] {
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
}

function openKey(key: PublicKey): KeyObject | undefined {
  try {
    if (key.scheme === 'ed25519') {
      if (!/^[0-9a-f]{64}$/i.test(key.public)) return undefined;
      return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key.public, 'hex').toString('base64url') }, format: 'jwk' });
    }
    const opened = createPublicKey({ key: key.public, format: 'pem' });
    const { namedCurve, modulusLength } = opened.asymmetricKeyDetails ?? {};
    if (opened.asymmetricKeyType === 'ec') return namedCurve === 'prime256v1' && key.scheme === 'ecdsa-sha2-nistp256' ? opened : undefined;
    if (opened.asymmetricKeyType === 'rsa') return (modulusLength ?? 0) >= RSA_BITS && key.scheme === 'rsassa-pss-sha256' ? opened : undefined;
    return undefined;
  } catch {
    return undefined;
  }
}
