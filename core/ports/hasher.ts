/** SHA-256, by whatever is fastest on the platform: synchronous in Node, a promise in browsers. */
export interface Hasher {
  /** The 32-byte digest of `bytes`. */
  sha256(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}
