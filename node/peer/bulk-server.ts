/** The server's end of the bulk carrier: TLS 1.3 with a one-use pre-shared key, no certificates. */
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { PeerScope, StreamHandler } from '../../core/ports/transport.ts';
import { MossError } from '../../core/error.ts';
import { hasErrno } from '../io-error.ts';
import { encodeTicket, TicketBook, ticketKey, type Holder } from './bulk-ticket.ts';
import { socketStream } from './socket-stream.ts';

/** The one suite that a pre-shared key goes with (its hash is SHA-256), and quick where there is AES hardware. */
export const BULK_CIPHER = 'TLS_AES_128_GCM_SHA256';
/** Milliseconds for a handshake. */
const HANDSHAKE = 5000;
/** Connections that have not proved anything yet, at most. */
const MAX_UNPROVED = 64;
/** Milliseconds without a byte after which a connection is closed. */
const IDLE = 120_000;

export interface BulkServerOptions {
  /** This peer's id. */
  id: string;
  /** How far an address is. */
  scopeOf: (address: string) => PeerScope;
  /** An address of this machine; all of them, where it is not given. */
  host?: string | undefined;
  /** 0 for any that is free. */
  port: number;
  /** Connections at the same time. */
  connections: number;
}

export class BulkServer {
  readonly #book = new TicketBook();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections that have not proved anything yet, by the address of the other end. */
  readonly #unproved = new Set<string>();
  #handler: StreamHandler | undefined;

  /** @throws MossError `io` when the port cannot be had */
  static async listen(options: BulkServerOptions): Promise<BulkServer> {
    const bulk = new BulkServer(options);
    await new Promise<void>((resolve, reject) => {
      bulk.#server.once('error', (cause) => {
        const why = hasErrno(cause, 'EADDRINUSE') ? `port ${options.port} is taken` : cause.message;
        reject(new MossError('io', `the bulk carrier cannot listen: ${why}`, { cause, data: { port: options.port } }));
      });
      bulk.#server.listen({ port: options.port, host: options.host }, resolve);
    });
    return bulk;
  }

  private constructor({ id, scopeOf, connections }: BulkServerOptions) {
    const proved = new WeakMap<TLSSocket, Holder>();
    this.#server = createServer({
      minVersion: 'TLSv1.3',
      ciphers: BULK_CIPHER,
      // A session ticket would let a connection be taken up again after its own ticket was used.
      secureOptions: constants.SSL_OP_NO_TICKET,
      handshakeTimeout: HANDSHAKE,
      noDelay: true,
      pskCallback: (socket, name) => {
        const redeemed = this.#book.redeem(name);
        if (redeemed === undefined) return null;
        proved.set(socket, redeemed.holder);
        return ticketKey(redeemed.ticket, { client: redeemed.holder.peer, server: id });
      },
    });
    this.#server.maxConnections = connections + MAX_UNPROVED;
    this.#server.on('connection', (socket) => this.#admit(socket, connections));
    // A failed handshake tells nobody anything: whoever comes without a ticket is not answered.
    this.#server.on('tlsClientError', (_, socket) => socket.destroy());
    this.#server.on('secureConnection', (socket) => {
      this.#unproved.delete(remoteOf(socket));
      socket.on('error', () => undefined);
      socket.setTimeout(IDLE, () => socket.destroy());
      const holder = proved.get(socket);
      // A ticket that was given to a neighbour is of no use from far away.
      if (holder === undefined || this.#handler === undefined || scopeOf(socket.remoteAddress ?? '') !== holder.scope) {
        socket.destroy();
        return;
      }
      // Not before: who leaves within the handshake is gone at once.
      socket.allowHalfOpen = true;
      const stream = socketStream(socket);
      this.#handler(stream, { id: holder.peer, scope: holder.scope, transport: 'tls' }).catch((reason: unknown) => stream.abort(reason));
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  handle(handler: StreamHandler): void {
    this.#handler = handler;
  }

  /** A ticket as it travels, for a peer whose identity is proved; `undefined` while it holds too many. */
  issue(holder: Holder): Uint8Array | undefined {
    const ticket = this.#book.issue(holder, this.port);
    return ticket && encodeTicket(ticket);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Counts a connection from its first byte on, so that nobody can hold many without proving who they are. */
  #admit(socket: Socket, connections: number): void {
    if (this.#unproved.size >= MAX_UNPROVED || this.#sockets.size >= connections + MAX_UNPROVED) {
      socket.destroy();
      return;
    }
    const remote = remoteOf(socket);
    this.#unproved.add(remote);
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#unproved.delete(remote);
      this.#sockets.delete(socket);
    });
  }
}

function remoteOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
