/** libp2p as a host uses it: what it speaks, where it listens, whom it lets in. */
import { identify, identifyPush } from '@libp2p/identify';
import { FaultTolerance, type Connection, type Libp2p, type PeerId, type PrivateKey } from '@libp2p/interface';
import type { KadDHT } from '@libp2p/kad-dht';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { webSockets } from '@libp2p/websockets';
import { yamux } from '@libp2p/yamux';
import type { Multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import type { PeerScope } from '../../core/ports/transport.ts';
import { version } from '../version.ts';
import type { WebTransportOptions } from '../webtransport/transport.ts';
import { byPromise, isOnlyForBrowsers, reachOf } from './address.ts';
import type { Certificates } from './certificates.ts';
import { listenAddresses, type Listening } from './listening.ts';
import { OwnAddresses, type AddressParts } from './own-addresses.ts';
import type { SwarmOptions } from './swarm.ts';

/** Milliseconds for dialling a peer. */
export const DIAL = 5000;
/** New connections of one address in a second: an office may sit behind one. */
const FROM_ONE_ADDRESS = 32;
const PENDING = 64;

export interface Libp2pOptions {
  key: PrivateKey;
  /** `lan`: nobody beyond the own networks is dialled or let in. */
  scope: PeerScope;
  /** Where to be reached; without it, this host only dials. 0 is any port that is free. */
  listen?: Listening | undefined;
  /** What the swarm takes: the hash table, relays, hole punching. Only with the scope `swarm`. */
  swarm?: SwarmOptions | undefined;
  /** Lets browsers reach this host by WebRTC, with these certificates. */
  webRtc?: Certificates | undefined;
  /** And by WebTransport: an option, which wants a library that not every platform has. */
  webTransport?: WebTransportOptions | undefined;
  /** Peers at the same time. */
  connections: number;
  /** Who is neither dialled nor let in; may change. */
  banned: Pick<ReadonlySet<string>, 'has'>;
}

export type Network = Libp2p<{ own: OwnAddresses; table?: KadDHT | undefined }>;

/** The connections to a peer that are its own and ours: those by way of a relay are for meeting alone. */
export function directConnections(libp2p: Pick<Libp2p, 'getConnections'>, peer: PeerId): Connection[] {
  return libp2p.getConnections(peer).filter(({ limits, status }) => limits === undefined && status === 'open');
}

/** It does not listen or dial before it is started. */
export async function openLibp2p({ key, scope, listen, swarm, webRtc, webTransport, connections, banned }: Libp2pOptions): Promise<Network> {
  // The hash table and all that goes with it takes memory that a peer of a local network has no use for.
  const parts = swarm && (await import('./swarm.ts')).swarmParts(swarm);
  const relays = (): Multiaddr[] => [...libp2p.getMultiaddrs(), ...libp2p.getConnections().map(({ remoteAddr }) => remoteAddr)].filter((address) => reachOf(address).transport === 'relay');
  const browsers = webRtc && (await import('./webrtc.ts')).webRtcTransports(webRtc, swarm && relays);
  const quic = webTransport && (await import('../webtransport/transport.ts')).webTransportListener(webTransport);
  const allows = (address: Multiaddr): boolean => scope === 'swarm' || reachOf(address).scope === 'lan';
  const libp2p: Network = await createLibp2p({
    start: false,
    privateKey: key,
    nodeInfo: { name: 'moss', version },
    addresses: {
      listen: [...(listen === undefined ? [] : listenAddresses(listen, { webRtc: webRtc !== undefined, webTransport: webTransport !== undefined })), ...(swarm?.relayed === true ? ['/p2p-circuit', ...(webRtc === undefined ? [] : ['/webrtc'])] : [])],
      announceFilter: (addresses) => libp2p.services.own.told(addresses),
      ...(swarm !== undefined && swarm.announce.length > 0 && { appendAnnounce: swarm.announce }),
    },
    transports: [tcp({ inboundSocketInactivityTimeout: 120_000, outboundSocketInactivityTimeout: 120_000 }), webSockets(), ...(parts?.transports ?? []), ...(browsers ?? []), ...(quic === undefined ? [] : [quic])],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    ...(parts !== undefined && { peerRouters: parts.peerRouters }),
    services: {
      own: (each: AddressParts): OwnAddresses => new OwnAddresses(each),
      identify: identify(),
      ping: ping(),
      ...parts?.services,
      ...(listen !== undefined && { identifyPush: identifyPush() }),
    },
    connectionManager: {
      maxConnections: connections,
      inboundConnectionThreshold: FROM_ONE_ADDRESS,
      maxIncomingPendingConnections: PENDING,
      dialTimeout: DIAL,
      addressDialTimeout: DIAL,
      addressSorter: (a, b) => byPromise(a.multiaddr, b.multiaddr),
      // Whom to look for again is decided elsewhere.
      reconnectRetries: 0,
    },
    connectionGater: {
      denyDialPeer: (id) => banned.has(id.toString()),
      denyDialMultiaddr: (address) => !allows(address) || isOnlyForBrowsers(address),
      denyInboundConnection: ({ remoteAddr }) => !allows(remoteAddr),
      denyInboundEncryptedConnection: (id) => banned.has(id.toString()),
      denyOutboundEncryptedConnection: (id) => banned.has(id.toString()),
      denyOutboundRelayedConnection: () => scope === 'lan',
      denyInboundRelayedConnection: () => scope === 'lan',
    },
    connectionMonitor: { pingInterval: 60_000 },
    // A machine may have no IPv6; what it must have is checked by who opens it.
    transportManager: { faultTolerance: FaultTolerance.NO_FATAL },
  });
  if (swarm?.table === 'auto') libp2p.addEventListener('self:peer:update', () => void setTable(libp2p).catch(() => undefined));
  return libp2p;
}

/**
 * The hash table serves others while this host can be dialled, and only asks else. The table itself, left alone, takes an
 * address that leads by way of a relay to WebRTC for one where anybody can dial.
 */
async function setTable({ services: { own, table } }: Network): Promise<void> {
  const mode = own.reachable === 'directly' ? 'server' : 'client';
  if (table?.getMode() !== mode) await table?.setMode(mode);
}
