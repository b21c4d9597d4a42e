/** One bidirectional stream of a WebTransport session: what is read of it, and what waits to be written. */
import type { QuicConnection } from './quic-server.ts';

/** How a code of an application is told in one of HTTP/3 (draft-ietf-webtrans-http3 section 4.4): this is 0. */
const APPLICATION_ERROR = 0x52e4_a40f_a8db;
/** Bytes that are read at once. */
const CHUNK = 1 << 16;
const EMPTY = new Uint8Array(0);

/** Set the callbacks when it is given out. */
export class SessionStream {
  readonly id: number;
  onData: (bytes: Uint8Array) => void = () => undefined;
  onEnd: () => void = () => undefined;
  onReset: () => void = () => undefined;
  /** What was written is with QUIC, after a `write` that gave false. */
  onDrain: () => void = () => undefined;
  readonly #connection: QuicConnection;
  #queue: Uint8Array[] = [];
  #isEnding = false;
  #isPaused = false;
  #isRead = false;
  #isWritten = false;
  #isOver = false;

  constructor(connection: QuicConnection, id: number) {
    this.#connection = connection;
    this.id = id;
  }

  /** @returns whether more may be written before `onDrain` */
  write(bytes: Uint8Array): boolean {
    if (this.#isOver) return true;
    this.#queue.push(bytes);
    this.flush();
    return this.#queue.length === 0;
  }

  end(): void {
    this.#isEnding = true;
    this.flush();
  }

  reset(): void {
    if (this.#isOver) return;
    this.#shut(0);
    this.#shut(1);
    this.#isOver = true;
    this.#queue = [];
    this.#connection.wake();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    // Its bytes may all be here, and nothing else would wake it.
    this.read();
    this.#connection.wake();
  }

  /** Reads what is there: to be called when it may be readable. */
  read(): void {
    while (!this.#isPaused && !this.#isRead && !this.#isOver) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      let got: [number, boolean] | null;
      try {
        got = this.#connection.quiche.streamRecv(this.id, chunk);
      } catch {
        this.#break();
        return;
      }
      if (got === null) return;
      const [length, isLast] = got;
      if (length > 0) this.onData(length > CHUNK / 2 ? chunk.subarray(0, length) : Buffer.from(chunk.subarray(0, length)));
      if (isLast) {
        this.#isRead = true;
        this.onEnd();
        this.#settle();
      } else if (length === 0) return;
    }
  }

  /** Writes what waits: to be called when there may be room. */
  flush(): void {
    if (this.#isOver) return;
    const waited = this.#queue.length > 0;
    try {
      for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
        const sent = this.#connection.quiche.streamSend(this.id, first, false) ?? 0;
        if (sent < first.length) {
          this.#queue[0] = first.subarray(sent);
          this.#connection.wake();
          return;
        }
        this.#queue.shift();
      }
      if (this.#isEnding) {
        this.#connection.quiche.streamSend(this.id, EMPTY, true);
        this.#isEnding = false;
        this.#isWritten = true;
        this.#settle();
      }
    } catch {
      this.#break();
      return;
    }
    this.#connection.wake();
    if (waited) this.onDrain();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The connection is gone. */
  lose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.onReset();
  }

  #settle(): void {
    if (this.#isRead && this.#isWritten) this.#isOver = true;
  }

  /** The other side has reset it, or will read no more. */
  #break(): void {
    this.reset();
    this.onReset();
  }

  #shut(direction: 0 | 1): void {
    try {
      this.#connection.quiche.streamShutdown(this.id, direction, APPLICATION_ERROR);
    } catch {
      // That direction is over already.
    }
  }
}
