/** Randomness as the core sees it. */
export interface Random {
  /** `length` random bytes, fit for keys when the adapter is a platform's own. */
  bytes(length: number): Uint8Array;
}
