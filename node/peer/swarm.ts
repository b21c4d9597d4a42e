/** What the swarm takes beyond a local network: the hash table, relays, hole punching, knowing whether one is reachable. */
import { setTimeout } from 'node:timers/promises';
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { autoNAT } from '@libp2p/autonat';
import { dcutr } from '@libp2p/dcutr';
import { NotFoundError, type PeerRouting } from '@libp2p/interface';
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht';
import { isPublicAddress } from './address.ts';

/** Of our own: peers of other networks are neither asked nor answered. */
export const KAD = '/moss/kad/1.0.0';
/** Milliseconds that a record of a peer lasts: peers come and go. */
const RECORD_LIFETIME = 12 * 3600 * 1000;
/** Peers that one relay serves at the same time, and the bytes of each connection. */
const RELAYED = 64;
const RELAYED_BYTES = 128 * 1024;

export interface SwarmOptions {
  /** `server` answers others; `client` only asks. `auto`: a server once it is known to be reachable. */
  table: 'auto' | 'client' | 'server';
  /** Whether this host relays for those that cannot be reached. */
  relay: boolean;
  /** Whether it looks for a relay itself. */
  relayed: boolean;
  /** Addresses to announce beside those that are known. */
  announce: string[];
}

/** Milliseconds that one step of a walk takes at least. */
const STEP = 500;

/**
 * Knows nobody, and takes its time to say so: libp2p walks the network at random for a relay, step after step, and with
 * an empty table of peers nothing else in the process would ever get a turn.
 */
function breather(): PeerRouting {
  return {
    findPeer: async () => {
      throw new NotFoundError('nobody is known here');
    },
    // oxlint-disable-next-line require-yield
    getClosestPeers: async function* (_key, { signal } = {}) {
      await setTimeout(STEP, undefined, { ref: false, ...(signal !== undefined && { signal }) }).catch(() => undefined);
    },
  };
}

type AutoNatParts = Parameters<ReturnType<typeof autoNAT>>[0];
type Open = AutoNatParts['connectionManager']['openConnection'];

/**
 * Who asks whether it can be reached is connected already. libp2p's autonat would take that connection for the one that it
 * dialled, find another address on it, say no, and close it: nobody would ever be told that it is reachable.
 */
function dialsAnew(parts: AutoNatParts): AutoNatParts {
  const { connectionManager } = parts;
  const open: Open = (peer, options) => connectionManager.openConnection(peer, Array.isArray(peer) ? options : { ...options, force: true });
  return replaced(parts, 'connectionManager', replaced(connectionManager, 'openConnection', open));
}

type DcutrParts = Parameters<ReturnType<typeof dcutr>>[0];
type TransportFor = DcutrParts['transportManager']['dialTransportForMultiaddr'];

/**
 * Only addresses that lead straight to a peer are dialled back. libp2p's DCUtR takes one that goes by way of a relay to WebRTC for
 * an address of the relay, connects to that, and closes the connection over which the two were about to punch a hole.
 */
function dialsPublic(parts: DcutrParts): DcutrParts {
  const { transportManager } = parts;
  const transportFor: TransportFor = (address) => (isPublicAddress(address) ? transportManager.dialTransportForMultiaddr(address) : undefined);
  return replaced(parts, 'transportManager', replaced(transportManager, 'dialTransportForMultiaddr', transportFor));
}

/** The same but for one property. */
function replaced<T extends object, K extends keyof T>(whole: T, name: K, part: T[K]): T {
  return new Proxy(whole, {
    get: (target, asked) => {
      if (asked === name) return part;
      const value: unknown = Reflect.get(target, asked, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The parts of a libp2p host; they want `identify` and `ping` beside them. */
export function swarmParts({ table, relay }: SwarmOptions) {
  return {
    transports: [circuitRelayTransport()],
    peerRouters: [breather],
    services: {
      table: kadDHT({
        protocol: KAD,
        peerInfoMapper: passthroughMapper,
        clientMode: table !== 'server',
        // Two peers are a swarm already.
        allowQueryWithZeroPeers: true,
        providers: { provideValidity: RECORD_LIFETIME },
        reprovide: { validity: RECORD_LIFETIME, threshold: RECORD_LIFETIME / 2, interval: RECORD_LIFETIME / 4 },
      }),
      autonat: (parts: AutoNatParts) => autoNAT()(dialsAnew(parts)),
      dialBack: (parts: DcutrParts) => dcutr()(dialsPublic(parts)),
      // Signalling only: enough for two peers to meet and punch a hole.
      ...(relay && { relay: circuitRelayServer({ reservations: { maxReservations: RELAYED, defaultDataLimit: BigInt(RELAYED_BYTES) } }) }),
    },
  };
}
