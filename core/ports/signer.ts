/** A public key as TUF 1.0 section 4.2 writes it: type, scheme, and the key's own text. */
export interface PublicKey {
  /** `ed25519`, `ecdsa` or `rsa`. */
  readonly keytype: string;
  /** `ed25519`, `ecdsa-sha2-nistp256`, `rsassa-pss-sha256`, ... */
  readonly scheme: string;
  /** Hex for Ed25519, PEM (SubjectPublicKeyInfo) for the others. */
  readonly public: string;
}

/** Something that signs: a key file, an agent, a hardware token. */
export interface Signer {
  readonly key: PublicKey;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** Checks signatures; false for a wrong one, and for keys and schemes that it does not know. */
export interface Verifier {
  verify(key: PublicKey, signature: Uint8Array, bytes: Uint8Array): Promise<boolean>;
}
