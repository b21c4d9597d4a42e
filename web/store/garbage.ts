/** Bytes that are asked for as a reason to collect: more than the 64 MiB of buffers that V8 lets come before it does. */
const REASON = 128 * 1024 * 1024;
/** Bytes that pass before that, and what each block leaves behind beside its own: promises, messages, digests (measured). */
const MOST = 8 * 1024 * 1024;
const BESIDE = 8 * 1024;

/**
 * Bounds the garbage of a thread that blocks pass through. Browsers collect it when it suits them: a tab that gives as fast as
 * it can piled up 150 MB of it, in the page and in the worker (measured in Chromium). A buffer that is this large makes V8
 * collect at once, which takes some milliseconds, and incrementally where much is in use. Nothing is written to the buffer,
 * so it is address space and no memory, and it is let go right away.
 */
export class Garbage {
  #bytes = 0;

  /** A block has passed. @param bytes how many it has */
  passed(bytes: number): void {
    this.#bytes += bytes + BESIDE;
    if (this.#bytes < MOST) return;
    this.#bytes = 0;
    try {
      new ArrayBuffer(REASON).transfer(0);
    } catch {
      // There is no room for such a buffer here: the browser collects when it likes.
    }
  }
}
