/** What a multiaddr says of how a peer is reached. */
import { isIP } from 'node:net';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { PeerScope } from '../../core/ports/transport.ts';
import { scopeOf } from './scope.ts';

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
