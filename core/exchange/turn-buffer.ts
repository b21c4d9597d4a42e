/**
 * What one turn sends, in one buffer: the pieces of answers, read right into their place, and what is said beside them.
 * It is filled again and again where the carrier gives it back: 64 KiB of new memory for each turn cost as much as
 * reading the content (measured).
 */
import { writeDataHead, encodeMessage } from './wire/encode.ts';
import { DATA_HEAD_SIZE, HEAD_SIZE, MAX_ITEMS, MAX_PIECE, type Data, type Message } from './wire/message.ts';

const HEAD = HEAD_SIZE + DATA_HEAD_SIZE;
/** A piece of the most bytes, with its head. */
const PIECES = HEAD + MAX_PIECE;
/** `miss`, `have` and `busy` with as many numbers as each may have. */
const VERDICTS = 3 * (HEAD_SIZE + 4 + 4 * MAX_ITEMS);

export class TurnBuffer {
  /** Made for the first content: most turns of a crowd say a few words and no more. */
  #made: { bytes: Uint8Array; view: DataView } | undefined;
  /** One message, where nothing else was added. */
  #said: Uint8Array | undefined;
  #at = 0;

  /** Bytes of content that the next piece may have, at most. */
  get room(): number {
    return Math.max(0, PIECES - HEAD - this.#at);
  }

  /** Where the content of the next piece goes: at most `room` bytes. */
  place(length: number): Uint8Array {
    return this.#whole().bytes.subarray(this.#at + HEAD, this.#at + HEAD + length);
  }

  /** Adds a piece. @param bytes its content, which may be in its place already */
  addPiece({ bytes, ...piece }: Omit<Data, 'type'>): void {
    const start = this.#at + HEAD;
    const { bytes: all, view } = this.#whole();
    if (bytes.buffer !== all.buffer) all.set(bytes, start);
    writeDataHead(view, this.#at, piece, bytes.length);
    this.#at = start + bytes.length;
  }

  /** Adds what is no content. Nothing but this may follow it. */
  addMessage(message: Message): void {
    const bytes = encodeMessage(message);
    if (this.#at === 0 && this.#made === undefined) this.#said = bytes;
    else this.#whole().bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** All that was added. */
  get bytes(): Uint8Array {
    return this.#made === undefined ? (this.#said ?? new Uint8Array(0)) : this.#made.bytes.subarray(0, this.#at);
  }

  clear(): void {
    this.#at = 0;
    this.#said = undefined;
  }

  #whole(): { bytes: Uint8Array; view: DataView } {
    if (this.#made === undefined) {
      const bytes = new Uint8Array(PIECES + VERDICTS);
      this.#made = { bytes, view: new DataView(bytes.buffer) };
      if (this.#said !== undefined) bytes.set(this.#said);
    }
    return this.#made;
  }
}
