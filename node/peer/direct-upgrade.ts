/**
 * From a relay to each other: who dialled a peer by way of a relay gets a direct connection to it, or lets go of the relay.
 * First the other side may dial back, which is the easy half of DCUtR (libp2p/specs, relay/DCUtR.md) and gives TCP; else
 * both punch a hole by WebRTC, with what the relay tells each of its own address (STUN).
 */
import { setTimeout } from 'node:timers/promises';
import type { Connection, Libp2p } from '@libp2p/interface';
import { DIAL, directConnections } from './libp2p.ts';
import type { OwnAddresses } from './own-addresses.ts';

const DCUTR = '/libp2p/dcutr';
/** Milliseconds that the other side has for dialling back, and two looks at whether it did. */
const DIAL_BACK = 2000;
const LOOK = 50;
/** A hole that is not punched at first may be at the next attempt (the specification of DCUtR has three); and libp2p sometimes waits for a channel that was closed already. */
const ATTEMPTS = 2;
/** Milliseconds for which a peer is left alone that no way leads to, and how many of them are remembered. */
const LEAVE = 10 * 60_000;
const REMEMBERED = 1024;

export interface DirectUpgradeOptions {
  libp2p: Libp2p;
  own: OwnAddresses;
  /** Whether this host speaks WebRTC. */
  webRtc: boolean;
  signal: AbortSignal;
}

/** Upgrades each relayed connection that this host opens, from now on. */
export function upgradeRelayed({ libp2p, own, webRtc, signal }: DirectUpgradeOptions): void {
  const upgrading = new Set<string>();
  /** When no way was found, in milliseconds of `performance.now`. */
  const failed = new Map<string, number>();
  libp2p.addEventListener('peer:identify', ({ detail: { connection, protocols } }) => {
    const id = connection.remotePeer.toString();
    if (connection.limits === undefined || connection.direction !== 'outbound' || upgrading.has(id)) return;
    upgrading.add(id);
    const dialsBack = own.reachable === 'directly' && protocols.includes(DCUTR);
    upgrade(connection, dialsBack)
      .catch(() => undefined)
      .finally(() => upgrading.delete(id));
  });

  async function upgrade(relayed: Connection, dialsBack: boolean): Promise<void> {
    const id = relayed.remotePeer.toString();
    const isDirect = (): boolean => directConnections(libp2p, relayed.remotePeer).length > 0;
    const end = performance.now() + (dialsBack ? DIAL_BACK : 0);
    while (!isDirect() && performance.now() < end) await setTimeout(LOOK, undefined, { signal });
    try {
      if (!isDirect() && webRtc && performance.now() - (failed.get(id) ?? -LEAVE) >= LEAVE) {
        failed.set(id, performance.now());
        const address = relayed.remoteAddr.decapsulate('/p2p-circuit').encapsulate(`/p2p-circuit/webrtc/p2p/${id}`);
        for (let attempt = 0; attempt < ATTEMPTS && !isDirect() && !signal.aborted; attempt++) {
          await libp2p.dial(address, { signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL)]) }).catch(() => undefined);
        }
      }
    } finally {
      if (isDirect()) failed.delete(id);
      // Peers come and go for weeks.
      if (failed.size > REMEMBERED) failed.clear();
      // It cost somebody else's line long enough.
      if (relayed.status === 'open') await relayed.close();
    }
  }
}
