export interface CompressOptions {
  /** zstd level, 1 to 19. */
  level: number;
  /** Content that the receiver has too. */
  dictionary?: Uint8Array | undefined;
}

export interface DecompressOptions {
  /** Exact size of the result in bytes; anything else is an error, and no more than this is ever allocated. */
  size: number;
  dictionary?: Uint8Array | undefined;
}

/** zstd, one frame at a time. */
export interface Compressor {
  compress(bytes: Uint8Array, options: CompressOptions): Uint8Array | Promise<Uint8Array>;
  /** @throws MossError `bad-frame` when the bytes are not one zstd frame of exactly `size` bytes. */
  decompress(bytes: Uint8Array, options: DecompressOptions): Uint8Array | Promise<Uint8Array>;
}
