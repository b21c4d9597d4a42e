/** QUIC on a UDP socket: which packet belongs to which connection, and when each is to be heard and sent. */
import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { HostPort, Quiche, QuicheConfig, QuicheConnection } from './quiche.ts';

/** What a client may have on the way before it is read: of a stream, and of a connection. */
const STREAM_WINDOW = 1 << 20;
const MOST_STREAM_WINDOW = 4 << 20;
const CONNECTION_WINDOW = 4 << 20;
const MOST_CONNECTION_WINDOW = 8 << 20;
const STREAMS = 64;
/** The own streams of HTTP/3: control, and two of QPACK. Some more, for those that are there to be ignored. */
const UNI_STREAMS = 8;
/** Milliseconds: a connection that says nothing ends, and one that is quiet is asked whether it is there. */
const IDLE = 60_000;
const ASK = 15_000;
/** Milliseconds for the handshake, and connections that may be in it. */
const HANDSHAKE = 10_000;
const PENDING = 64;
const ID_LENGTH = 20;
/** RFC 9000 section 14.1; and what goes through the paths that there are. */
const LEAST_INITIAL = 1200;
const PACKET = 1350;
const SLAB = PACKET * 48;
const INITIAL = 0;
const SHORT = 5;
/** Milliseconds that a timer of Node can hold. */
const LONGEST = 2 ** 31 - 1;

/** What a connection does above QUIC. */
export interface QuicUser {
  /** Streams may be readable or writable. Called after every batch of packets. */
  onActive(): void;
  onClosed(): void;
}

export interface QuicConnection {
  readonly quiche: QuicheConnection;
  readonly remote: HostPort;
  /** There is something to send. */
  wake(): void;
  close(reason: string): void;
}

export interface QuicServerOptions {
  quiche: Quiche;
  host: string;
  port: number;
  connections: number;
  onConnection: (connection: QuicConnection) => QuicUser;
}

export class QuicServer {
  readonly #options: QuicServerOptions;
  readonly #socket: Socket;
  readonly #byId = new Map<string, Connection>();
  readonly #connections = new Set<Connection>();
  readonly #ask: NodeJS.Timeout;
  #config: QuicheConfig | undefined;

  static async listen(options: QuicServerOptions): Promise<QuicServer> {
    // Addresses are numbers here: nothing is looked up.
    const family = isIPv6(options.host) ? 6 : 4;
    const socket = createSocket({ type: `udp${family}`, ipv6Only: family === 6, recvBufferSize: 1 << 21, sendBufferSize: 1 << 21, lookup: (host, _options, callback) => callback(null, host, family) });
    const server = new QuicServer(options, socket);
    const listening = once(socket, 'listening');
    socket.bind(options.port, options.host);
    await listening;
    return server;
  }

  private constructor(options: QuicServerOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    socket.on('message', (packet, from) => this.#receive(packet, from));
    this.#ask = setInterval(() => {
      for (const connection of this.#connections) connection.ask();
    }, ASK);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** The certificate that is shown from now on; there is none before. */
  show({ pem, privateKey }: { pem: string; privateKey: string }): void {
    const config = this.#options.quiche.Config.withBoringSslCtx(false, false, null, [Buffer.from(privateKey)], [Buffer.from(pem)], null);
    config.setApplicationProtos(['h3']);
    config.setMaxIdleTimeout(IDLE);
    config.setMaxRecvUdpPayloadSize(1500);
    config.setMaxSendUdpPayloadSize(PACKET);
    config.setInitialMaxData(CONNECTION_WINDOW);
    config.setMaxConnectionWindow(MOST_CONNECTION_WINDOW);
    config.setInitialMaxStreamDataBidiLocal(STREAM_WINDOW);
    config.setInitialMaxStreamDataBidiRemote(STREAM_WINDOW);
    config.setInitialMaxStreamDataUni(1 << 16);
    config.setMaxStreamWindow(MOST_STREAM_WINDOW);
    config.setInitialMaxStreamsBidi(STREAMS);
    config.setInitialMaxStreamsUni(UNI_STREAMS);
    config.setDisableActiveMigration(true);
    config.enablePacing(false);
    // Browsers want datagrams to be possible; none is used.
    config.enableDgram(true, 16, 16);
    this.#config = config;
  }

  async close(): Promise<void> {
    clearInterval(this.#ask);
    for (const connection of this.#connections) connection.close('the server ends');
    const closed = once(this.#socket, 'close');
    // What says goodbye is on its way already: sockets of UDP send at once.
    setImmediate(() => this.#socket.close());
    await closed;
  }

  #receive(packet: Buffer, from: RemoteInfo): void {
    const remote = { host: from.address, port: from.port };
    // A short header is the bit and the identifier (RFC 9000 section 17.3); long ones are for the handshake.
    const isLong = ((packet[0] ?? 0) & 0x80) !== 0;
    const known = isLong ? undefined : this.#byId.get(packet.toString('latin1', 1, 1 + ID_LENGTH));
    try {
      const connection = known ?? (isLong ? this.#shake(packet, remote) : undefined);
      connection?.receive(packet, remote);
    } catch {
      // Anybody can send anything to a port.
    }
  }

  #shake(packet: Buffer, remote: HostPort): Connection | undefined {
    const { quiche, onConnection, connections } = this.#options;
    const { ty, version, dcid, scid } = quiche.Header.fromSlice(packet, ID_LENGTH);
    const name = Buffer.from(dcid).toString('latin1');
    const known = this.#byId.get(name);
    if (known !== undefined || ty === SHORT || packet.length < LEAST_INITIAL || this.#config === undefined) return known;
    if (!quiche.versionIsSupported(version)) {
      const answer = Buffer.allocUnsafe(LEAST_INITIAL);
      this.send(answer.subarray(0, quiche.negotiateVersion(scid, dcid, answer)), remote);
      return undefined;
    }
    if (ty !== INITIAL || this.#connections.size >= connections || [...this.#connections].filter(({ isPending }) => isPending).length >= PENDING) return undefined;
    const id = randomBytes(ID_LENGTH);
    const names = [name, id.toString('latin1')];
    const accepted = quiche.Connection.accept(id, null, this.local, remote, this.#config);
    const connection = new Connection(this, accepted, remote, () => {
      for (const each of names) this.#byId.delete(each);
      this.#connections.delete(connection);
    });
    for (const each of names) this.#byId.set(each, connection);
    this.#connections.add(connection);
    connection.begin(onConnection(connection));
    return connection;
  }

  get local(): HostPort {
    return { host: this.#options.host, port: this.port };
  }

  send(packet: Uint8Array, { host, port }: HostPort): void {
    this.#socket.send(packet, port, host, () => undefined);
  }
}

class Connection implements QuicConnection {
  readonly quiche: QuicheConnection;
  readonly remote: HostPort;
  readonly #server: QuicServer;
  readonly #local: HostPort;
  readonly #forget: () => void;
  readonly #handshake: NodeJS.Timeout;
  #user: QuicUser | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isAwake = false;
  #isGone = false;
  #slab = Buffer.allocUnsafeSlow(SLAB);
  #used = 0;

  constructor(server: QuicServer, quiche: QuicheConnection, remote: HostPort, forget: () => void) {
    this.#server = server;
    this.#local = server.local;
    this.quiche = quiche;
    this.remote = remote;
    this.#forget = forget;
    this.#handshake = setTimeout(() => {
      if (this.isPending) this.close('the handshake took too long');
    }, HANDSHAKE);
  }

  get isPending(): boolean {
    return !this.#isGone && !this.quiche.isEstablished();
  }

  begin(user: QuicUser): void {
    this.#user = user;
  }

  receive(packet: Buffer, from: HostPort): void {
    this.quiche.recv(packet, { from, to: this.#local });
    this.wake();
  }

  ask(): void {
    if (this.isPending || this.#isGone) return;
    this.quiche.sendAckEliciting();
    this.wake();
  }

  close(reason: string): void {
    if (this.#isGone) return;
    try {
      this.quiche.close(true, 0, Buffer.from(reason));
    } catch {
      // It is closing already.
    }
    this.#flush();
  }

  /** Once for all packets that are there: they come one by one, and the answer is for all of them. */
  wake(): void {
    if (this.#isAwake || this.#isGone) return;
    this.#isAwake = true;
    setImmediate(() => {
      this.#isAwake = false;
      if (this.#isGone) return;
      if (this.quiche.isEstablished()) this.#user?.onActive();
      this.#flush();
    });
  }

  #flush(): void {
    try {
      for (;;) {
        // What is sent may be read later: each packet has bytes of its own.
        if (this.#used + PACKET > SLAB) [this.#slab, this.#used] = [Buffer.allocUnsafeSlow(SLAB), 0];
        const room = this.#slab.subarray(this.#used, this.#used + PACKET);
        const sent = this.quiche.send(room);
        if (sent === null) break;
        this.#used += sent[0];
        this.#server.send(room.subarray(0, sent[0]), this.remote);
      }
    } catch {
      // quiche says no more of it than that it is over.
    }
    clearTimeout(this.#timer);
    if (this.quiche.isClosed()) {
      this.#end();
      return;
    }
    const milliseconds = this.quiche.timeout();
    if (milliseconds === null) return;
    this.#timer = setTimeout(
      () => {
        this.quiche.onTimeout();
        this.#flush();
      },
      Math.min(Math.ceil(milliseconds), LONGEST),
    );
  }

  #end(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#handshake);
    this.#forget();
    this.#user?.onClosed();
  }
}
