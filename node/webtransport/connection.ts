/** A browser's session as libp2p wants it: a connection that is secured already, and whose streams are its own. */
import type { AbortOptions, Logger, MessageStream, StreamMuxerFactory } from '@libp2p/interface';
import { AbstractMessageStream, AbstractMultiaddrConnection, AbstractStream, AbstractStreamMuxer, type SendResult } from '@libp2p/utils';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Socket } from 'node:net';
import { FramedSocket } from './framed-socket.ts';
import type { GatewaySession } from './gateway.ts';

const PROTOCOL = '/webtransport';

/** What goes over the first stream: the handshake of noise. */
export class HandshakeStream extends AbstractMessageStream {
  readonly #socket: FramedSocket;

  constructor(socket: Socket, log: Logger) {
    super({ log, direction: 'inbound' });
    this.#socket = framed(socket, this);
  }

  close(): Promise<void> {
    this.#socket.end();
    return Promise.resolve();
  }

  sendData(bytes: { byteLength: number; subarray(): Uint8Array }): SendResult {
    this.#socket.write(bytes.subarray());
    return { sentBytes: bytes.byteLength, canSendMore: true };
  }

  sendReset(): void {
    this.#socket.reset();
  }

  sendPause(): void {
    this.#socket.pause();
  }

  sendResume(): void {
    this.#socket.resume();
  }
}

class SessionStream extends AbstractStream {
  readonly #socket: FramedSocket;

  constructor(socket: Socket, init: ConstructorParameters<typeof AbstractStream>[0]) {
    super(init);
    this.#socket = framed(socket, this);
  }

  sendData(bytes: Iterable<Uint8Array> & { byteLength: number }): SendResult {
    // Read before it is handed on: libp2p gives the list to others afterwards.
    const sentBytes = bytes.byteLength;
    let canSendMore = true;
    for (const each of bytes) canSendMore = this.#socket.write(each);
    return { sentBytes, canSendMore };
  }

  sendReset(): void {
    this.#socket.reset();
  }

  sendCloseWrite(): Promise<void> {
    this.#socket.end();
    return Promise.resolve();
  }

  sendCloseRead(): Promise<void> {
    return Promise.resolve();
  }

  sendPause(): void {
    this.#socket.pause();
  }

  sendResume(): void {
    this.#socket.resume();
  }
}

function framed(socket: Socket, stream: AbstractMessageStream): FramedSocket {
  const made = new FramedSocket(socket, {
    onData: (bytes) => stream.onData(bytes),
    onEnd: () => stream.onRemoteCloseWrite(),
    onReset: () => stream.onRemoteReset(),
    onDrain: () => stream.safeDispatchEvent('drain'),
  });
  socket.resume();
  return made;
}

/** The session, without bytes of its own. */
export class SessionConnection extends AbstractMultiaddrConnection {
  readonly #session: GatewaySession;

  constructor(session: GatewaySession, init: { remoteAddr: Multiaddr; log: Logger }) {
    super({ ...init, direction: 'inbound' });
    this.#session = session;
    session.onClosed = () => this.onTransportClosed();
  }

  sendClose(_options?: AbortOptions): Promise<void> {
    this.#session.close();
    return Promise.resolve();
  }

  sendData(bytes: { byteLength: number }): SendResult {
    return { sentBytes: bytes.byteLength, canSendMore: true };
  }

  sendReset(): void {
    this.#session.close();
  }

  sendPause(): void {
    // Each stream is paused by itself.
  }

  sendResume(): void {
    // And resumed.
  }
}

class SessionMuxer extends AbstractStreamMuxer<SessionStream> {
  readonly #session: GatewaySession;
  #last = 0;

  constructor(session: GatewaySession, connection: MessageStream) {
    super(connection, { protocol: PROTOCOL, name: 'muxer' });
    this.#session = session;
    session.onStream = (socket) => this.onRemoteStream(this.#made(socket, 'inbound'));
  }

  async onCreateStream(): Promise<SessionStream> {
    return this.#made(await this.#session.open(), 'outbound');
  }

  onData(): void {
    // Nothing comes but in streams.
  }

  #made(socket: Socket, direction: 'inbound' | 'outbound'): SessionStream {
    const id = String(this.#last++);
    return new SessionStream(socket, { ...this.streamOptions, id, direction, log: this.log.newScope(`${direction}:${id}`) });
  }
}

export function sessionMuxer(session: GatewaySession): StreamMuxerFactory {
  return { protocol: PROTOCOL, createStreamMuxer: (connection) => new SessionMuxer(session, connection) };
}
