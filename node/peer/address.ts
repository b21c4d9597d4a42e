/** What a multiaddr says of how a peer is reached. */
import { isIP } from 'node:net';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { PeerScope } from '../../core/ports/transport.ts';
import { isLoopback, isPublic, scopeOf } from './scope.ts';

export interface Reach {
  /** The address itself; `undefined` behind a relay, and where it is a name. */
  host: string | undefined;
  scope: PeerScope;
  transport: 'tcp' | 'websocket' | 'webrtc-direct' | 'webrtc' | 'webtransport' | 'relay';
}

export function reachOf(address: Multiaddr): Reach {
  const parts = address.getComponents();
  const names = new Set(parts.map(({ name }) => name));
  // Two peers that met by way of a relay, and are connected to each other.
  if (names.has('webrtc')) return { host: undefined, scope: 'swarm', transport: 'webrtc' };
  if (names.has('p2p-circuit')) return { host: undefined, scope: 'swarm', transport: 'relay' };
  const value = parts.find(({ name }) => name === 'ip4' || name === 'ip6')?.value;
  const host = value !== undefined && isIP(value) !== 0 ? value : undefined;
  return {
    host,
    scope: host === undefined ? 'swarm' : scopeOf(host),
    transport: names.has('webrtc-direct') ? 'webrtc-direct' : names.has('webtransport') ? 'webtransport' : names.has('ws') || names.has('wss') ? 'websocket' : 'tcp',
  };
}

/** The peer id at the end of an address; `undefined` where it names none. */
export function peerOf(address: Multiaddr): string | undefined {
  return address.getComponents().findLast(({ name }) => name === 'p2p')?.value;
}

/** Whether an address leads from the Internet to its peer, without a relay. */
export function isPublicAddress(address: Multiaddr): boolean {
  const { host } = reachOf(address);
  return host !== undefined && isPublic(host);
}

/**
 * Whether an address is of no use but to a browser: by datagrams to a relay, or to a network that is not ours. Who listens so
 * listens by TCP as well, and a datagram that comes to nobody is not refused but times out.
 */
export function isOnlyForBrowsers(address: Multiaddr): boolean {
  const names = new Set(address.getComponents().map(({ name }) => name));
  if (!names.has('webrtc-direct') && !names.has('webtransport')) return false;
  const { host, scope } = reachOf(address);
  return host === undefined || (scope === 'swarm' && !isPublic(host));
}

/**
 * In which order to try the addresses of a peer: those that a relay gives come before private ones, which may be of somebody
 * else's network and then only time out, and before WebRTC, which takes longer and is tried once two have met.
 */
export function byPromise(a: Multiaddr, b: Multiaddr): -1 | 0 | 1 {
  const [left, right] = [rankOf(a), rankOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function rankOf(address: Multiaddr): number {
  const { host, transport } = reachOf(address);
  const far = host === undefined ? (transport === 'webrtc' ? 2 : 1) : isPublic(host) ? 0 : isLoopback(host) ? 4 : 3;
  return far + (address.getComponents().some(({ name }) => name === 'ws' || name === 'wss') ? 0.5 : 0);
}
