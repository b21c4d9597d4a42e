/** What the worker keeps blocks in. Keys are those of `slot.ts`: a codec and a digest. */
export interface Backend {
  has(key: Uint8Array): Promise<boolean>;
  /** Checked: bytes that do not hash to the key are not handed out, and forgotten. */
  get(key: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** @throws MossError `bad-block` when the bytes are not those of the key; `disk-full` */
  put(key: Uint8Array, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  delete(key: Uint8Array): Promise<void>;
  /** All keys, one after the other. */
  list(): Promise<Uint8Array<ArrayBuffer>>;
  sync(): Promise<void>;
  /** Removes everything; the backend is not used any more. */
  destroy(): Promise<void>;
}
