/** What arrived on a stream and was not read yet: turns events into reads, and holds the sender back. */
import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';

/** Bytes from which on the sender is held back, and below which it may go on. */
const HIGH = 512 * 1024;
const LOW = 128 * 1024;

export interface Tap {
  pause: () => void;
  resume: () => void;
}

interface Reader {
  resolve: (bytes: Uint8Array | undefined) => void;
  reject: (reason: unknown) => void;
}

export class ReadQueue {
  readonly #tap: Tap;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #paused = false;
  #ended = false;
  #failure: { reason: unknown } | undefined;
  #reader: Reader | undefined;

  constructor(tap: Tap) {
    this.#tap = tap;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#ended || this.#failure !== undefined) return;
    if (this.#reader !== undefined) {
      this.#take()?.resolve(bytes);
      return;
    }
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes > HIGH && !this.#paused) {
      this.#paused = true;
      this.#tap.pause();
    }
  }

  /** The other side ended its direction: what is queued can still be read. */
  end(): void {
    this.#ended = true;
    this.#take()?.resolve(undefined);
  }

  /** The stream broke: what is queued is of no use any more. */
  fail(reason: unknown): void {
    if (this.#failure !== undefined || (this.#ended && this.#bytes === 0)) return;
    this.#failure = { reason };
    this.#chunks.length = 0;
    this.#bytes = 0;
    this.#take()?.reject(reason);
  }

  /** The next bytes; `undefined` at the end. One read at a time. */
  async read({ signal }: AbortOptions = {}): Promise<Uint8Array | undefined> {
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure.reason;
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#bytes -= chunk.length;
      if (this.#paused && this.#bytes < LOW) {
        this.#paused = false;
        this.#tap.resume();
      }
      return chunk;
    }
    if (this.#ended) return undefined;
    if (this.#reader !== undefined) throw new MossError('bug', 'a stream is read by two at the same time');
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#take()?.reject(signal?.reason);
      signal?.addEventListener('abort', onAbort);
      const settle = (): void => signal?.removeEventListener('abort', onAbort);
      this.#reader = {
        resolve: (bytes) => {
          settle();
          resolve(bytes);
        },
        reject: (reason) => {
          settle();
          reject(reason);
        },
      };
    });
  }

  #take(): Reader | undefined {
    const reader = this.#reader;
    this.#reader = undefined;
    return reader;
  }
}
