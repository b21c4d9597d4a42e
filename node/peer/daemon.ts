/** The long-running peer of a root: a sharing peer with a control socket, which starts anew when what is shared changes. */
import { mkdirSync } from 'node:fs';
import { MossError } from '../../core/error.ts';
import type { Listener } from '../../core/install/event.ts';
import { loadSettings, userSettingsFile } from '../config/settings.ts';
import type { Layout } from '../store/layout.ts';
import { controlSocket, type DaemonStatus, type PeerStatus } from './control.ts';
import { ControlServer, type Controlled } from './control-server.ts';
import { SharingPeer } from './sharing-peer.ts';

export interface DaemonOptions {
  layout: Layout;
  environment: Record<string, string | undefined>;
  onEvent: Listener;
  /** Ends it in good order. */
  signal: AbortSignal;
  /** Called when it serves, and again after what is shared has changed. */
  onReady: (status: DaemonStatus) => void;
}

/**
 * Runs until the signal, or until sharing is switched off.
 *
 * @throws MossError `usage` while sharing is off; `locked` when the root has a daemon already; `io`
 */
export async function runDaemon({ layout, environment, onEvent, signal, onReady }: DaemonOptions): Promise<void> {
  mkdirSync(layout.peer, { recursive: true, mode: 0o700 });
  let sharing: SharingPeer | undefined;
  const end = Promise.withResolvers<void>();
  const current = (): SharingPeer => {
    if (sharing === undefined) throw new MossError('source-failed', 'the daemon is not ready');
    return sharing;
  };
  const begin = async (): Promise<boolean> => {
    const settings = await loadSettings([userSettingsFile(environment), layout.settings]);
    if (settings.share === 'off') return false;
    sharing = await SharingPeer.start({ layout, settings, scope: settings.share, serves: true, onEvent });
    onReady(statusOf(sharing));
    return true;
  };
  const controlled: Controlled = {
    status: () => statusOf(current()),
    peers: () => peersOf(current()),
    peer: (id) => current().host.peers.find((peer) => peer.id === id),
    ban: (id, reason) => current().ban(id, reason),
    refresh: () => current().refresh(),
    reload: async () => {
      const before = sharing;
      sharing = undefined;
      await before?.stop();
      if (!(await begin())) end.resolve();
    },
    stop: () => end.resolve(),
  };
  const control = await ControlServer.listen(controlSocket(layout, environment), controlled);
  try {
    if (!(await begin())) throw new MossError('usage', 'sharing is off', { hint: 'Agree to it with `moss share on --scope lan`.' });
    signal.addEventListener('abort', () => end.resolve());
    if (!signal.aborted) await end.promise;
  } finally {
    await control.close();
    await sharing?.stop();
  }
}

function statusOf({ host, holdings, started, streams }: SharingPeer): DaemonStatus {
  const { packages, index, repositories } = holdings.listing;
  return {
    pid: process.pid,
    peer: host.id,
    scope: host.scope,
    addresses: host.addresses.map(String),
    reachable: host.libp2p.services.own.reachable,
    table: host.libp2p.services.table?.getMode() ?? null,
    since: started,
    packages,
    contents: index.size,
    repositories: repositories.length,
    streams,
  };
}

export function peersOf(sharing: SharingPeer): PeerStatus[] {
  const connections = new Map(sharing.host.connected.map((each) => [each.id, each]));
  return sharing.host.peers.map(({ id, scope, transport, address, roundTrip }) => ({
    id,
    scope,
    transport,
    address,
    roundTrip: roundTrip ?? null,
    since: connections.get(id)?.since ?? 0,
    rate: sharing.rateTo(id),
  }));
}
