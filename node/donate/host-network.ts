/** A donor's network in Node: the same host as any peer's, listening for machines and for browsers. */
import { join } from 'node:path';
import type { DonorNetwork, NetworkPeer, OpenNetwork } from '../../core/donate/network.ts';
import { peerOf } from '../peer/address.ts';
import { browserListening } from '../peer/browser-listening.ts';
import { Host, parseMultiaddr, type HostEvents } from '../peer/host.ts';
import { loadIdentity } from '../peer/identity.ts';
import { readPorts, writePorts } from '../peer/ports-file.ts';

export interface HostNetworkOptions {
  /** Where the key, the ports and the certificates are kept. */
  state: string;
  /** An address of this machine to listen on; all of them, where it is not given. */
  host?: string | undefined;
  /** 0: the port of last time, or any. */
  port: number;
  /** Whether browsers may come by WebTransport, too. */
  webTransport: boolean;
  /** Peers at the same time. */
  connections: number;
  onWarning: (message: string) => void;
}

export function hostNetwork({ state, host: address, port, webTransport, connections, onWarning }: HostNetworkOptions): OpenNetwork {
  return async ({ handler, onChange }) => {
    const ports = readPorts(state);
    const events: HostEvents = { onPeer: onChange, onGone: onChange };
    const host = await Host.create(
      {
        key: loadIdentity(join(state, 'key.pem')),
        scope: 'swarm',
        listen: { host: address, port: port === 0 ? ports.port : port, bulkPort: ports.bulkPort, webSocketPort: ports.webSocketPort ?? 0 },
        swarm: { table: 'auto', relay: false, relayed: true, announce: [] },
        ...(await browserListening({ state, webTransport, connections, onWarning })),
        connections,
      },
      events,
    );
    await host.handle(handler);
    await host.start();
    writePorts(state, host.ports);
    return donorNetwork(host, connections);
  };
}

function donorNetwork(host: Host, most: number): DonorNetwork {
  return {
    id: host.id,
    most,
    get addresses() {
      return host.addresses.map(String);
    },
    get peers(): NetworkPeer[] {
      const directions = new Map(host.connected.map(({ id, direction }) => [id, direction]));
      return host.peers.map((peer) => ({
        id: peer.id,
        scope: peer.scope,
        transport: peer.transport,
        direction: directions.get(peer.id) ?? 'inbound',
        open: (options) => peer.open(options),
      }));
    },
    dial: async (addresses) => {
      const parsed = addresses.map(parseMultiaddr).filter((each) => peerOf(each) !== undefined);
      if (parsed.length > 0) await host.dial(parsed);
    },
    ban: (id) => host.ban(id),
    close: () => host.stop(),
  };
}
