/** A tab as a peer: libp2p over what browsers have. */
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { identify, identifyPush } from '@libp2p/identify';
import type { Connection, Libp2p, Stream as Libp2pStream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { peerIdFromString } from '@libp2p/peer-id';
import { webRTC, webRTCDirect } from '@libp2p/webrtc';
import { webSockets } from '@libp2p/websockets';
import { webTransport } from '@libp2p/webtransport';
import { yamux } from '@libp2p/yamux';
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import type { DonorNetwork, NetworkPeer, OpenNetwork } from '../../core/donate/network.ts';
import { MossError } from '../../core/error.ts';
import { EXCHANGE } from '../../core/exchange/protocol.ts';
import { muxedStream } from '../../core/exchange/muxed-stream.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { Stream } from '../../core/ports/transport.ts';
import { loadIdentity } from './identity.ts';
import { mayDial, transportOf } from './reach.ts';

/** Milliseconds for dialling a peer, and for opening a stream. */
const DIAL = 5000;
/** Streams of one connection: browsers lose some where there are many. */
const STREAMS = 8;
/** No server is asked which address this tab has: Node peers see it, and relays carry the rest. */
const RTC = { rtcConfiguration: { iceServers: [] } };

/** What a tab dials, in this order. A relay is only ever dialled on the way to a tab behind it. */
export const DIALLED = ['webrtc-direct', 'websocket', 'webtransport', 'webrtc'] as const;
export type Dialled = (typeof DIALLED)[number];

export interface TabNetworkOptions {
  /** Peers at the same time. */
  connections: number;
  /** The page that this tab shows. */
  page: { hostname: string; isSecure: boolean };
  transports?: readonly Dialled[] | undefined;
}

export function tabNetwork({ connections, page, transports = DIALLED }: TabNetworkOptions): OpenNetwork {
  return async ({ records, handler, onChange }) => {
    const banned = new Set<string>();
    const libp2p = await createLibp2p({
      start: false,
      privateKey: await loadIdentity(records),
      nodeInfo: { name: 'moss' },
      // Reachable by way of whatever relay it is connected to, and from there directly.
      addresses: { listen: ['/p2p-circuit', '/webrtc'] },
      transports: [webRTCDirect(RTC), webSockets(), webTransport(), webRTC(RTC), circuitRelayTransport()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify(), identifyPush: identifyPush() },
      connectionManager: { maxConnections: connections + 2, dialTimeout: DIAL, addressDialTimeout: DIAL, reconnectRetries: 0 },
      connectionMonitor: { pingInterval: 60_000 },
      connectionGater: {
        denyDialPeer: (id) => banned.has(id.toString()),
        denyDialMultiaddr: (address) => !mayDial(address, page),
        denyInboundEncryptedConnection: (id) => banned.has(id.toString()),
      },
    });
    const network = new TabNetwork(libp2p, { connections, transports, banned, onChange });
    await libp2p.handle(EXCHANGE, (stream, connection) => serve(stream, connection), { maxInboundStreams: STREAMS, maxOutboundStreams: STREAMS, runOnLimitedConnection: false });
    await libp2p.start();
    return network;

    function serve(stream: Libp2pStream, connection: Connection): void {
      const served = muxed(stream, connection);
      handler(served, { id: connection.remotePeer.toString(), scope: 'swarm', transport: transportOf(connection.remoteAddr) }).catch((reason: unknown) => served.abort(reason));
    }
  };
}

class TabNetwork implements DonorNetwork {
  readonly most: number;
  readonly #libp2p: Libp2p;
  readonly #banned: Set<string>;
  readonly #transports: readonly string[];
  /** Those that speak moss. */
  readonly #peers = new Map<string, NetworkPeer>();

  constructor(libp2p: Libp2p, { connections, transports, banned, onChange }: { connections: number; transports: readonly string[]; banned: Set<string>; onChange: () => void }) {
    this.#libp2p = libp2p;
    this.#banned = banned;
    this.#transports = transports;
    this.most = connections;
    libp2p.addEventListener('peer:identify', ({ detail: { peerId, protocols, connection } }) => {
      const id = peerId.toString();
      // By way of a relay two peers only meet: who is there by it alone has still to be dialled.
      if (!protocols.includes(EXCHANGE) || connection.limits !== undefined || this.#peers.has(id) || banned.has(id)) return;
      this.#peers.set(id, new TabPeer(libp2p, id));
      onChange();
    });
    libp2p.addEventListener('connection:close', ({ detail: { remotePeer } }) => {
      const id = remotePeer.toString();
      if (directConnection(libp2p, id) === undefined && this.#peers.delete(id)) onChange();
    });
    libp2p.addEventListener('self:peer:update', onChange);
  }

  get id(): string {
    return this.#libp2p.peerId.toString();
  }

  get addresses(): string[] {
    return this.#libp2p.getMultiaddrs().map(String);
  }

  get peers(): NetworkPeer[] {
    return [...this.#peers.values()];
  }

  async dial(addresses: readonly string[]): Promise<void> {
    const byTransport = Map.groupBy(addresses.flatMap(parse), transportOf);
    let failure: unknown;
    for (const transport of this.#transports) {
      const group = byTransport.get(transport);
      if (group === undefined) continue;
      try {
        // By force: libp2p is content with a connection by way of a relay, which carries no content.
        await this.#libp2p.dial(group, { signal: AbortSignal.timeout(DIAL), force: true });
        return;
      } catch (cause) {
        failure = cause;
      }
    }
    throw new MossError('source-failed', 'none of the addresses of a peer can be reached from here', { cause: failure });
  }

  async ban(id: string): Promise<void> {
    this.#banned.add(id);
    this.#peers.delete(id);
    await this.#libp2p.hangUp(peerIdFromString(id)).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#peers.clear();
    await this.#libp2p.stop();
  }
}

class TabPeer implements NetworkPeer {
  readonly id: string;
  readonly scope = 'swarm';
  readonly #libp2p: Libp2p;

  constructor(libp2p: Libp2p, id: string) {
    this.#libp2p = libp2p;
    this.id = id;
  }

  get transport(): string {
    const address = this.#connection?.remoteAddr;
    return address === undefined ? 'none' : transportOf(address);
  }

  get direction(): 'inbound' | 'outbound' {
    return this.#connection?.direction ?? 'outbound';
  }

  async open({ signal }: AbortOptions = {}): ReturnType<NetworkPeer['open']> {
    const connection = this.#connection;
    if (connection === undefined) throw new MossError('source-failed', `${this.id} is not connected`);
    const limit = AbortSignal.timeout(DIAL);
    try {
      // At run time the signal is always the platform's own.
      return muxed(await connection.newStream(EXCHANGE, { signal: signal === undefined ? limit : AbortSignal.any([limit, signal as AbortSignal]) }), connection);
    } catch (cause) {
      signal?.throwIfAborted();
      throw new MossError('source-failed', `${this.id} takes no stream`, { cause });
    }
  }

  get #connection(): Connection | undefined {
    return directConnection(this.#libp2p, this.id);
  }
}

/** Each message over WebRTC is put together anew (`WebRTCStream.sendData` of libp2p): the bytes in it are a copy. */
function muxed(stream: Libp2pStream, { remoteAddr }: Connection): Stream {
  return muxedStream(stream, { copies: transportOf(remoteAddr).startsWith('webrtc') });
}

/** A relayed connection is for finding each other, not for content. */
function directConnection(libp2p: Libp2p, id: string): Connection | undefined {
  return libp2p.getConnections(peerIdFromString(id)).find(({ status, limits }) => status === 'open' && limits === undefined);
}

/** None for what is no address, or one that no browser can dial. */
function parse(text: string): Multiaddr[] {
  try {
    const address = multiaddr(text);
    return transportOf(address) === 'tcp' ? [] : [address];
  } catch {
    return [];
  }
}
