/**
 * WebTransport over HTTP/3 (draft-ietf-webtrans-http3) on one QUIC connection: SETTINGS, the CONNECT that opens the
 * session, and its bidirectional streams. One connection has one session, which is how browsers open those that they know
 * by a certificate's hash.
 */
import { readHeaderBlock, statusBlock } from './header-block.ts';
import type { QuicConnection, QuicUser } from './quic-server.ts';
import { SessionStream } from './session-stream.ts';
import { readVarint, varint } from './varint.ts';

/** RFC 9114 section 7.2, and the stream's type of draft-ietf-webtrans-http3 section 4.3. */
const FRAME = { data: 0x00, headers: 0x01, settings: 0x04, webTransportStream: 0x41 };
const CONTROL_STREAM = 0x00;
/** RFC 9220, RFC 9297; `SETTINGS_ENABLE_WEBTRANSPORT` of the second draft, `SETTINGS_WEBTRANSPORT_MAX_SESSIONS` of later ones. */
const SETTINGS: readonly (readonly [id: number, value: number])[] = [
  [0x08, 1],
  [0x33, 1],
  [0x2b60_3742, 1],
  [0xc671_706a, 1],
];
const REQUEST_REJECTED = 0x010b;
/** Bytes of a request's headers. */
const MOST_HEADERS = 16_384;
/** Milliseconds from the connection to a session. */
const WAIT = 10_000;

export interface SessionOptions {
  /** What the request must ask for. */
  path: string;
  onStream: (stream: SessionStream) => void;
  onEnd: () => void;
}

export class Session implements QuicUser {
  readonly #connection: QuicConnection;
  readonly #options: SessionOptions;
  readonly #late: NodeJS.Timeout;
  /** Streams whose first bytes do not say yet what they are. */
  readonly #beginnings = new Map<number, Buffer>();
  readonly #streams = new Map<number, SessionStream>();
  /** The stream of the CONNECT, which is the session's name. */
  #id: number | undefined;
  /** Our first bidirectional stream, and those after it. */
  #next = 1;
  #hasBegun = false;

  constructor(connection: QuicConnection, options: SessionOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#late = setTimeout(() => {
      if (this.#id === undefined) connection.close('nobody asked for a session');
    }, WAIT);
  }

  /** Opens a stream to the client; `undefined` where it takes no more. */
  open(): SessionStream | undefined {
    if (this.#id === undefined || this.#connection.quiche.peerStreamsLeftBidi() === 0) return undefined;
    const stream = this.#made(this.#next);
    this.#next += 4;
    stream.write(Buffer.concat([varint(FRAME.webTransportStream), varint(this.#id)]));
    return stream;
  }

  close(): void {
    this.#connection.close('the session ends');
  }

  onActive(): void {
    const { quiche } = this.#connection;
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      const settings = Buffer.concat(SETTINGS.flatMap(([id, value]) => [varint(id), varint(value)]));
      quiche.streamSend(3, Buffer.concat([varint(CONTROL_STREAM), varint(FRAME.settings), varint(settings.length), settings]), false);
    }
    while (quiche.dgramRecvQueueLen() > 0) quiche.dgramRecvVec();
    for (const id of [...quiche.readable()].toSorted((a, b) => a - b)) this.#read(id);
    for (const id of quiche.writable()) this.#streams.get(id)?.flush();
    for (const [id, stream] of this.#streams) if (stream.isOver) this.#streams.delete(id);
  }

  onClosed(): void {
    clearTimeout(this.#late);
    for (const stream of this.#streams.values()) stream.lose();
    this.#streams.clear();
    this.#beginnings.clear();
    this.#options.onEnd();
  }

  #made(id: number): SessionStream {
    const stream = new SessionStream(this.#connection, id);
    this.#streams.set(id, stream);
    return stream;
  }

  #read(id: number): void {
    const stream = this.#streams.get(id);
    if (stream !== undefined) stream.read();
    // The client's own control and QPACK streams: its SETTINGS change nothing here, and no table is kept.
    else if (id % 4 === 2 || id === this.#id) this.#drain(id);
    else if (id % 4 === 0) this.#begin(id);
  }

  /** Takes bytes away that say nothing; the end of the CONNECT is the end of the session. */
  #drain(id: number): void {
    const chunk = Buffer.allocUnsafe(4096);
    try {
      for (let got = this.#connection.quiche.streamRecv(id, chunk); got !== null; got = this.#connection.quiche.streamRecv(id, chunk)) {
        if (!got[1]) continue;
        if (id === this.#id) this.close();
        return;
      }
    } catch {
      if (id === this.#id) this.close();
    }
  }

  /** Reads the first bytes of a client's stream: a request, or a stream of the session. */
  #begin(id: number): void {
    const { quiche } = this.#connection;
    const held = this.#beginnings.get(id) ?? Buffer.alloc(0);
    const first = readVarint(held, 0);
    const isStream = first?.value === FRAME.webTransportStream;
    // Byte by byte what a stream begins with, so that nothing of its content is read here.
    const chunk = Buffer.allocUnsafe(isStream || first === undefined ? 1 : MOST_HEADERS);
    let got: [number, boolean] | null;
    try {
      got = quiche.streamRecv(id, chunk);
    } catch {
      this.#beginnings.delete(id);
      return;
    }
    if (got === null) return;
    const bytes = Buffer.concat([held, chunk.subarray(0, got[0])]);
    this.#beginnings.set(id, bytes);
    if (!this.#recognised(id, bytes) && !got[1] && got[0] > 0) this.#begin(id);
  }

  /** @returns whether it is known now what the stream is */
  #recognised(id: number, bytes: Buffer): boolean {
    const type = readVarint(bytes, 0);
    if (type === undefined) return false;
    const second = readVarint(bytes, type.end);
    if (second === undefined) return false;
    if (type.value === FRAME.webTransportStream) {
      this.#beginnings.delete(id);
      if (second.value !== this.#id) {
        this.#refuse(id);
        return true;
      }
      const stream = this.#made(id);
      this.#options.onStream(stream);
      stream.read();
      return true;
    }
    if (type.value !== FRAME.headers || second.value > MOST_HEADERS) {
      this.#beginnings.delete(id);
      this.#refuse(id);
      return true;
    }
    if (bytes.length < second.end + second.value) return false;
    this.#beginnings.delete(id);
    this.#answer(id, bytes.subarray(second.end, second.end + second.value));
    return true;
  }

  #answer(id: number, block: Uint8Array): void {
    const { quiche } = this.#connection;
    let isSession = false;
    try {
      const headers = readHeaderBlock(block);
      isSession = this.#id === undefined && headers.get(':method') === 'CONNECT' && headers.get(':protocol') === 'webtransport' && headers.get(':path') === this.#options.path;
    } catch {
      this.#refuse(id);
      return;
    }
    const answer = statusBlock(isSession ? 200 : 404, isSession ? { 'sec-webtransport-http3-draft': 'draft02' } : {});
    quiche.streamSend(id, Buffer.concat([varint(FRAME.headers), varint(answer.length), answer]), !isSession);
    if (isSession) this.#id = id;
    this.#connection.wake();
  }

  #refuse(id: number): void {
    for (const direction of [0, 1] as const) {
      try {
        this.#connection.quiche.streamShutdown(id, direction, REQUEST_REJECTED);
      } catch {
        // That direction is over already.
      }
    }
    this.#connection.wake();
  }
}
