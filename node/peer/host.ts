/** This machine among the others: a libp2p host that speaks moss, with the bulk carrier beside it. */
import { peerIdFromString } from '@libp2p/peer-id';
import type { Connection, Stream as Libp2pStream } from '@libp2p/interface';
import { CODE_P2P, multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import type { Cid } from '../../core/dag/cid.ts';
import { MossError } from '../../core/error.ts';
import { EXCHANGE } from '../../core/exchange/protocol.ts';
import type { PeerScope, StreamHandler } from '../../core/ports/transport.ts';
import { peerOf, reachOf } from './address.ts';
import { BulkServer } from './bulk-server.ts';
import { upgradeRelayed } from './direct-upgrade.ts';
import { DIAL, directConnections, openLibp2p, type Libp2pOptions, type Network } from './libp2p.ts';
import { muxedStream } from '../../core/exchange/muxed-stream.ts';
import type { Ports } from './ports-file.ts';
import { BULK } from './protocols.ts';
import { RemotePeer } from './remote-peer.ts';
import { scopeOf } from './scope.ts';

/** Streams of one connection and protocol. */
const STREAMS = 32;
/** Addresses of a peer that are remembered: it may have one for each transport, and two for each transport of each relay. */
const MAX_ADDRESSES = 16;

export interface HostOptions extends Omit<Libp2pOptions, 'banned'> {
  /** Whom to have nothing to do with from the start. */
  banned?: Iterable<string> | undefined;
}

/** A peer that is connected. */
export interface ConnectedPeer {
  id: string;
  address: string;
  scope: PeerScope;
  transport: string;
  direction: 'inbound' | 'outbound';
  /** Milliseconds since the epoch. */
  since: number;
  /** Whether it speaks moss; `undefined` until it has said what it speaks. */
  speaks: boolean | undefined;
}

export interface HostEvents {
  /** A peer that speaks moss is there. */
  onPeer?: ((peer: RemotePeer) => void) | undefined;
  onGone?: ((id: string) => void) | undefined;
}

export class Host {
  readonly libp2p: Network;
  readonly scope: PeerScope;
  readonly #bulk: BulkServer | undefined;
  readonly #peers = new Map<string, RemotePeer>();
  readonly #banned: Set<string>;
  /** Whom libp2p has a dial for. */
  readonly #dialling = new Set<string>();
  /** Who was sent away for a while. */
  readonly #away: Set<string>;
  readonly #events: HostEvents;
  readonly #listen: number | undefined;
  readonly #stop = new AbortController();

  /** @throws MossError `io` when a port cannot be had */
  static async start(options: HostOptions, events: HostEvents = {}): Promise<Host> {
    const host = await Host.create(options, events);
    await host.start();
    return host;
  }

  /** A host that does not listen or dial yet: there is time to say what it serves. */
  static async create(options: HostOptions, events: HostEvents = {}): Promise<Host> {
    const { listen, scope, connections, webRtc } = options;
    const [banned, away] = [new Set(options.banned), new Set<string>()];
    const libp2p = await openLibp2p({ ...options, banned: { has: (id) => banned.has(id) || away.has(id) } });
    const bulk = listen && (await BulkServer.listen({ id: libp2p.peerId.toString(), scopeOf, host: listen.host, port: listen.bulkPort, connections }));
    return new Host(libp2p, { bulk, banned, away, events, scope, listen: listen?.port, webRtc: webRtc !== undefined });
  }

  private constructor(libp2p: Network, { bulk, banned, away, events, scope, listen, webRtc }: { bulk: BulkServer | undefined; banned: Set<string>; away: Set<string>; events: HostEvents; scope: PeerScope; listen: number | undefined; webRtc: boolean }) {
    this.libp2p = libp2p;
    this.scope = scope;
    this.#bulk = bulk;
    this.#banned = banned;
    this.#away = away;
    this.#events = events;
    this.#listen = listen;
    libp2p.addEventListener('peer:identify', ({ detail: { connection, protocols } }) => {
      // By way of a relay two peers only meet: there is a direct connection soon, or none.
      if (protocols.includes(EXCHANGE) && connection.limits === undefined) this.#meet(connection);
    });
    libp2p.addEventListener('connection:close', ({ detail: { remotePeer } }) => {
      const id = remotePeer.toString();
      if (!this.isConnected(id) && this.#peers.delete(id)) events.onGone?.(id);
    });
    if (scope === 'swarm') upgradeRelayed({ libp2p, own: libp2p.services.own, webRtc, signal: this.#stop.signal });
  }

  /** @throws MossError `io` when a port cannot be had */
  async start(): Promise<void> {
    try {
      await this.libp2p.start();
    } catch (cause) {
      await this.stop();
      throw new MossError('io', `the peer cannot start: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
    if (this.#listen !== undefined && this.ports.port === 0) {
      await this.stop();
      throw new MossError('io', `the peer cannot listen on port ${this.#listen}`, {
        hint: 'Another program has it: choose another one with `moss config set peer-port`.',
        data: { port: this.#listen },
      });
    }
  }

  get id(): string {
    return this.libp2p.peerId.toString();
  }

  /** Where this peer can be reached, with its id in each. */
  get addresses(): Multiaddr[] {
    return this.libp2p.getMultiaddrs();
  }

  /** The ports it listens on; 0 where it does not. */
  get ports(): Ports {
    const { own } = this.libp2p.services;
    return { port: own.port('tcp'), bulkPort: this.#bulk?.port ?? 0, webSocketPort: own.port('websocket') || undefined };
  }

  /** Peers that speak moss and are connected. */
  get peers(): RemotePeer[] {
    return [...this.#peers.values()];
  }

  /** Serves what others ask. */
  async handle(handler: StreamHandler): Promise<void> {
    this.#bulk?.handle(handler);
    const limits = { maxInboundStreams: STREAMS, maxOutboundStreams: STREAMS, runOnLimitedConnection: false };
    await this.libp2p.handle(EXCHANGE, (stream, connection) => this.#serve(handler, stream, connection), limits);
    if (this.#bulk !== undefined) await this.libp2p.handle(BULK, (stream, connection) => this.#giveTicket(stream, connection), limits);
  }

  /**
   * Connects to a peer by its addresses, and at once: also while others of them are being dialled, which may keep silent.
   *
   * @throws MossError `source-failed`
   */
  async dial(addresses: readonly Multiaddr[], signal: AbortSignal = AbortSignal.timeout(DIAL)): Promise<void> {
    const [first] = addresses;
    const id = first && peerOf(first);
    if (id !== undefined && (id === this.id || this.#banned.has(id))) return;
    try {
      await (id !== undefined && this.#dialling.has(id) ? this.#dialBeside(id, addresses, signal) : this.#dialFirst(id, addresses, signal));
    } catch (cause) {
      throw new MossError('source-failed', `the peer at ${first?.toString() ?? 'no address'} cannot be reached`, { cause });
    }
  }

  async #dialFirst(id: string | undefined, addresses: readonly Multiaddr[], signal: AbortSignal): Promise<void> {
    if (id !== undefined) this.#dialling.add(id);
    try {
      await this.libp2p.dial([...addresses], { signal });
    } finally {
      if (id !== undefined) this.#dialling.delete(id);
    }
  }

  /**
   * libp2p has one dial for each peer: what is added waits until all that it began with has failed, and the time for all of it is over
   * then. Without the peer's id it is a dial of its own, and whoever answers has to be that peer.
   */
  async #dialBeside(id: string, addresses: readonly Multiaddr[], signal: AbortSignal): Promise<void> {
    const direct = addresses.filter((address) => reachOf(address).host !== undefined);
    if (direct.length === 0) {
      await this.libp2p.dial([...addresses], { signal });
      return;
    }
    const connection = await this.libp2p.dial(direct.map((address) => address.decapsulateCode(CODE_P2P)), { signal });
    if (connection.remotePeer.toString() === id) return;
    connection.abort(new Error('somebody else is there'));
    throw new Error(`somebody else than ${id} is there`);
  }

  /** Whether there is a connection of our own to a peer: one by way of a relay is none. */
  isConnected(id: string): boolean {
    return directConnections(this.libp2p, peerIdFromString(id)).length > 0;
  }

  /** Where a connected peer can be reached again: where it was reached, and what it says of itself, its own places before relays. */
  async addressesOf(id: string): Promise<string[]> {
    const peerId = peerIdFromString(id);
    const { addresses } = await this.libp2p.peerStore.get(peerId);
    const reached = this.libp2p.getConnections(peerId).filter(({ direction }) => direction === 'outbound').map(({ remoteAddr }) => remoteAddr);
    const { own = [], relayed = [] } = Object.groupBy(addresses.map(({ multiaddr: address }) => address), (address) => (reachOf(address).host === undefined ? 'relayed' : 'own'));
    const all = [...reached, ...own, ...relayed].map((address) => (peerOf(address) === undefined ? `${address.toString()}/p2p/${id}` : address.toString()));
    return [...new Set(all)].slice(0, MAX_ADDRESSES);
  }

  /** Peers that the swarm names for something, each with its addresses. */
  async *findProviders(cid: Cid, options: { signal: AbortSignal }): AsyncGenerator<Multiaddr[]> {
    for await (const { id, multiaddrs } of this.libp2p.contentRouting.findProviders(cid, options)) {
      yield multiaddrs.map((address) => (peerOf(address) === undefined ? address.encapsulate(`/p2p/${id.toString()}`) : address));
    }
  }

  /** Where the swarm says that a peer is; nowhere, where nobody knows. */
  async findPeer(id: string, options: { signal: AbortSignal }): Promise<Multiaddr[]> {
    return (await this.libp2p.peerRouting.findPeer(peerIdFromString(id), options)).multiaddrs;
  }

  /** Tells the swarm that this peer has something. */
  async provide(cid: Cid, options: { signal: AbortSignal }): Promise<void> {
    await this.libp2p.contentRouting.provide(cid, options);
  }

  /** Drops a peer, and has no more to do with it until this host ends. */
  async ban(id: string): Promise<void> {
    this.#banned.add(id);
    this.#peers.delete(id);
    await this.libp2p.hangUp(peerIdFromString(id)).catch(() => undefined);
  }

  /** Drops a peer, and does not let it in again before. @param ms milliseconds */
  async sendAway(id: string, ms: number): Promise<void> {
    if (this.#away.has(id)) return;
    this.#away.add(id);
    setTimeout(() => this.#away.delete(id), ms).unref();
    await this.libp2p.hangUp(peerIdFromString(id)).catch(() => undefined);
  }

  get banned(): readonly string[] {
    return [...this.#banned];
  }

  get connected(): ConnectedPeer[] {
    return this.libp2p.getConnections().map((connection) => {
      const { scope, transport } = reachOf(connection.remoteAddr);
      const id = connection.remotePeer.toString();
      return { id, address: connection.remoteAddr.toString(), scope, transport: this.#peers.get(id)?.transport ?? transport, direction: connection.direction, since: connection.timeline.open, speaks: this.#peers.has(id) };
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.libp2p.stop(), this.#bulk?.close()]);
  }

  #meet({ remotePeer }: Connection): void {
    const id = remotePeer.toString();
    if (this.#peers.has(id) || this.#banned.has(id)) return;
    const peer = new RemotePeer(this.libp2p, remotePeer);
    this.#peers.set(id, peer);
    this.#events.onPeer?.(peer);
  }

  #serve(handler: StreamHandler, stream: Libp2pStream, connection: Connection): void {
    const { scope, transport } = reachOf(connection.remoteAddr);
    const served = muxedStream(stream);
    handler(served, { id: connection.remotePeer.toString(), scope, transport }).catch((reason: unknown) => served.abort(reason));
  }

  /** The other side's identity is proved by the connection: the ticket is for nobody else. */
  #giveTicket(stream: Libp2pStream, connection: Connection): void {
    const { scope, host } = reachOf(connection.remoteAddr);
    const ticket = host === undefined ? undefined : this.#bulk?.issue({ peer: connection.remotePeer.toString(), scope });
    if (ticket === undefined) {
      stream.abort(new Error('no ticket'));
      return;
    }
    stream.send(ticket);
    stream.close({ signal: AbortSignal.timeout(DIAL) }).catch((error: unknown) => stream.abort(error instanceof Error ? error : new Error('closing failed')));
  }
}

export function parseMultiaddr(text: string): Multiaddr {
  try {
    return multiaddr(text);
  } catch (cause) {
    throw new MossError('usage', `${JSON.stringify(text)} is no multiaddr`, { hint: 'Such as /ip4/192.0.2.1/tcp/4001/p2p/12D3KooW...', cause });
  }
}
