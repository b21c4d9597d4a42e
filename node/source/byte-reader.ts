import type { Place } from './place.ts';

const NOTHING = new Uint8Array(0);

/** Exact reads from a stream of chunks. What is within one chunk is not copied. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #place: Place;
  #chunk: Uint8Array = NOTHING;
  #ended = false;
  #offset = 0;

  /** @param place is blamed when the stream ends too early */
  constructor(chunks: AsyncIterable<Uint8Array>, place: Place) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#place = place;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** True when no byte is left. */
  async atEnd(): Promise<boolean> {
    return this.#chunk.length === 0 && !(await this.#fill());
  }

  /**
   * The next `length` bytes. The caller bounds `length`: it is allocated, though never before the bytes are there.
   *
   * @param what is named when the stream ends before
   * @throws MossError `bad-package`
   */
  async read(length: number, what: string): Promise<Uint8Array> {
    if (this.#chunk.length >= length) return this.#take(length);
    const parts: Uint8Array[] = [];
    for await (const part of this.take(length, what)) parts.push(part);
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, length);
  }

  /** The next `length` bytes as they come. */
  async *take(length: number, what: string): AsyncGenerator<Uint8Array, void, undefined> {
    const start = this.#offset;
    for (let left = length; left > 0; ) {
      if (this.#chunk.length === 0 && !(await this.#fill())) {
        throw this.#place.bad(`it ends within ${what}, which has ${length} bytes from byte ${start} on`, { offset: this.#offset });
      }
      const part = this.#take(Math.min(left, this.#chunk.length));
      left -= part.length;
      yield part;
    }
  }

  async skip(length: number, what: string): Promise<void> {
    if (this.#chunk.length >= length) {
      this.#take(length);
      return;
    }
    for await (const part of this.take(length, what)) void part;
  }

  /** Reads to the end. @returns how many bytes were left */
  async drain(): Promise<number> {
    const start = this.#offset;
    while (!(await this.atEnd())) this.#take(this.#chunk.length);
    return this.#offset - start;
  }

  /** Stops the stream; nothing can be read any more. */
  async close(): Promise<void> {
    this.#chunk = NOTHING;
    this.#ended = true;
    await this.#chunks.return?.();
  }

  #take(length: number): Uint8Array {
    const part = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(length);
    this.#offset += length;
    return part;
  }

  async #fill(): Promise<boolean> {
    while (!this.#ended && this.#chunk.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) this.#ended = true;
      else this.#chunk = next.value;
    }
    return this.#chunk.length > 0;
  }
}
