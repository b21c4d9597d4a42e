/**
 * A stream of bytes over a socket between two processes, whose end can be told from its breaking off: each piece has its
 * length before it (`u32`, little-endian), and the end is a piece of no bytes.
 */
import type { Socket } from 'node:net';

/** Pieces are what one read of QUIC, or one write of a peer, gives. */
const MOST = 1 << 24;
const HEADER = 4;

export interface FramedSocketEvents {
  onData: (bytes: Uint8Array) => void;
  onEnd: () => void;
  /** It broke off, or the other side reset it. */
  onReset: () => void;
  /** After a `write` that gave false. */
  onDrain: () => void;
}

export class FramedSocket {
  readonly #socket: Socket;
  readonly #events: FramedSocketEvents;
  /** What came of a length that is not all here. */
  #header = Buffer.alloc(0);
  /** Bytes of the piece that are to come. */
  #left = 0;
  #hasEnded = false;
  #isOver = false;

  constructor(socket: Socket, events: FramedSocketEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('drain', () => events.onDrain());
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#isOver) return;
      this.#isOver = true;
      if (!this.#hasEnded) events.onReset();
    });
  }

  /** @returns whether more may be written before `onDrain` */
  write(bytes: Uint8Array): boolean {
    if (this.#isOver || bytes.length === 0) return true;
    const header = Buffer.allocUnsafe(HEADER);
    header.writeUInt32LE(bytes.length);
    this.#socket.cork();
    this.#socket.write(header);
    const hasRoom = this.#socket.write(bytes);
    this.#socket.uncork();
    return hasRoom;
  }

  end(): void {
    if (!this.#isOver) this.#socket.end(Buffer.alloc(HEADER));
  }

  reset(): void {
    this.#isOver = true;
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #receive(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#left > 0) {
        const piece = bytes.subarray(at, at + this.#left);
        at += piece.length;
        this.#left -= piece.length;
        this.#events.onData(piece);
        continue;
      }
      const more = bytes.subarray(at, at + HEADER - this.#header.length);
      at += more.length;
      this.#header = Buffer.concat([this.#header, more]);
      if (this.#header.length < HEADER) return;
      this.#left = this.#header.readUInt32LE();
      this.#header = Buffer.alloc(0);
      if (this.#left > MOST) {
        this.#socket.destroy();
        return;
      }
      if (this.#left === 0) {
        this.#hasEnded = true;
        this.#events.onEnd();
      }
    }
  }
}
