import type { Compressor, CompressOptions, DecompressOptions } from '../ports/compressor.ts';

/** What is compressed or waits for it. */
const MOST = 3;

/**
 * Compresses one thing at a time, so that who works at the machine keeps its other cores. Those who would have to wait for long
 * had better send as it is (`isFree`).
 */
export class SparingCompressor implements Compressor {
  readonly #compressor: Compressor;
  #open = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(compressor: Compressor) {
    this.#compressor = compressor;
  }

  get isFree(): boolean {
    return this.#open < MOST;
  }

  async compress(bytes: Uint8Array, options: CompressOptions): Promise<Uint8Array> {
    this.#open++;
    const done = this.#last.then(() => this.#compressor.compress(bytes, options));
    this.#last = done.catch(() => undefined);
    try {
      return await done;
    } finally {
      this.#open--;
    }
  }

  decompress(bytes: Uint8Array, options: DecompressOptions): Uint8Array | Promise<Uint8Array> {
    return this.#compressor.decompress(bytes, options);
  }
}
