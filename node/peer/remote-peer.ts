/** A connected peer: opens streams to it, by the bulk carrier where that works, else by libp2p. */
import type { Connection, Libp2p, PeerId } from '@libp2p/interface';
import { MossError } from '../../core/error.ts';
import { EXCHANGE } from '../../core/exchange/protocol.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { Peer, PeerScope, Stream } from '../../core/ports/transport.ts';
import { reachOf } from './address.ts';
import { dialBulk } from './bulk-client.ts';
import { TICKET_SIZE } from './bulk-ticket.ts';
import { directConnections } from './libp2p.ts';
import { BULK } from './protocols.ts';
import { muxedStream } from '../../core/exchange/muxed-stream.ts';

/** Milliseconds for opening a stream of libp2p, and for a ticket. */
const OPEN = 5000;
/** Milliseconds for which the bulk carrier is left alone after it failed. */
const LEAVE_BULK = 10 * 60_000;

/** What it takes to dial a peer's bulk carrier: for another process of this machine, too. */
export interface BulkAccess {
  host: string;
  ticket: Uint8Array;
  client: string;
  server: string;
}

export class RemotePeer implements Peer {
  readonly id: string;
  readonly #libp2p: Libp2p;
  readonly #peerId: PeerId;
  /** When the bulk carrier may be tried (again), in milliseconds of `performance.now`. */
  #bulkFrom = 0;
  #bulkWorks = false;

  constructor(libp2p: Libp2p, peerId: PeerId) {
    this.#libp2p = libp2p;
    this.#peerId = peerId;
    this.id = peerId.toString();
  }

  get scope(): PeerScope {
    const connection = this.#best;
    return connection === undefined ? 'swarm' : reachOf(connection.remoteAddr).scope;
  }

  get transport(): string {
    const connection = this.#best;
    return this.#bulkWorks ? 'tls' : connection === undefined ? 'none' : reachOf(connection.remoteAddr).transport;
  }

  get address(): string {
    return this.#best?.remoteAddr.toString() ?? '';
  }

  /** Milliseconds to the peer and back, by the last ping of its connection. */
  get roundTrip(): number | undefined {
    return this.#best?.rtt;
  }

  async open({ signal }: AbortOptions = {}): Promise<Stream> {
    if (this.triesBulk) {
      try {
        const stream = await dialBulk(await this.bulkAccess({ signal }), { signal });
        this.#bulkWorks = true;
        return stream;
      } catch {
        signal?.throwIfAborted();
        this.bulkFailed();
      }
    }
    return this.openMuxed({ signal });
  }

  /** Whether the bulk carrier is not left alone. */
  get triesBulk(): boolean {
    return performance.now() >= this.#bulkFrom;
  }

  /** The bulk carrier did not work: the next streams go another way. */
  bulkFailed(): void {
    this.#bulkFrom = performance.now() + LEAVE_BULK;
    this.#bulkWorks = false;
  }

  /**
   * A ticket for one connection.
   *
   * @throws MossError `source-failed`
   */
  async bulkAccess({ signal }: AbortOptions = {}): Promise<BulkAccess> {
    const connection = this.#connection();
    const { host, scope } = reachOf(connection.remoteAddr);
    if (host === undefined) throw new MossError('source-failed', `${this.id} was met by way of a relay`);
    if (scope === 'swarm' && connection.direction === 'inbound' && !(await this.#listensAt(host))) throw new MossError('source-failed', `${this.id} is behind a router`);
    const stream = muxedStream(await this.#newStream(connection, BULK, signal));
    const ticket = new Uint8Array(TICKET_SIZE);
    let length = 0;
    const timer = setTimeout(() => stream.abort(new MossError('source-failed', `${this.id} gives no ticket`)), OPEN);
    try {
      while (length < TICKET_SIZE) {
        const bytes = await stream.read({ signal });
        if (bytes === undefined || length + bytes.length > TICKET_SIZE) throw new MossError('source-failed', `${this.id} gives no valid ticket`);
        ticket.set(bytes, length);
        length += bytes.length;
      }
    } finally {
      clearTimeout(timer);
      await stream.close();
    }
    return { host, ticket, client: this.#libp2p.peerId.toString(), server: this.id };
  }

  /** A stream of libp2p. */
  async openMuxed({ signal }: AbortOptions = {}): Promise<Stream> {
    return muxedStream(await this.#newStream(this.#connection(), EXCHANGE, signal));
  }

  async #newStream(connection: Connection, protocol: string, signal: AbortOptions['signal']): ReturnType<Connection['newStream']> {
    const limit = AbortSignal.timeout(OPEN);
    try {
      // At run time the signal is always the platform's own.
      return await connection.newStream(protocol, { signal: signal === undefined ? limit : AbortSignal.any([limit, signal as AbortSignal]) });
    } catch (cause) {
      signal?.throwIfAborted();
      throw new MossError('source-failed', `${this.id} takes no stream`, { cause });
    }
  }

  /** Whether the peer says that it can be dialled where it dialled from. */
  async #listensAt(host: string): Promise<boolean> {
    const { addresses } = await this.#libp2p.peerStore.get(this.#peerId);
    return addresses.some(({ multiaddr }) => reachOf(multiaddr).host === host);
  }

  #connection(): Connection {
    const connection = this.#best;
    if (connection === undefined) throw new MossError('source-failed', `${this.id} is not connected`);
    return connection;
  }

  /** The nearest direct connection: a relayed one is for finding each other, not for content. */
  get #best(): Connection | undefined {
    const direct = directConnections(this.#libp2p, this.#peerId);
    return direct.find(({ remoteAddr }) => reachOf(remoteAddr).scope === 'lan') ?? direct[0];
  }
}
