import { loadSettings, userSettingsFile, type Settings } from '../config/settings.ts';
import { DaemonControl } from '../peer/control-client.ts';
import type { PeerStatus } from '../peer/control.ts';
import { openPeerBook } from '../peer/peer-access.ts';
import type { KnownPeer } from '../peer/peer-book.ts';
import { formatBytes, formatTime, table } from '../ui/format.ts';
import type { Context } from './context.ts';
import { flagOption } from './options.ts';

/** Milliseconds for which a command without a daemon looks around. */
const LOOK_AROUND = 2000;

export async function run(context: Context, _: string[], options: Record<string, unknown>): Promise<void> {
  const { layout, environment, output } = context;
  const settings = await loadSettings([userSettingsFile(environment), layout.settings]);
  const connected = await connectedPeers(context, settings);
  const known = settings.share === 'off' && connected.length === 0 ? [] : knownPeers(context);
  const all = flagOption(options, 'all');
  const here = new Map(connected.map((peer) => [peer.id, peer]));
  const remembered = new Map(known.map((peer) => [peer.id, peer]));
  const ids = [...here.keys(), ...known.filter(({ id, ban }) => !here.has(id) && (all || ban !== undefined)).map(({ id }) => id)];
  const peers = ids.map((id) => describe(id, here.get(id), remembered.get(id)));
  const { bold, dim, red } = output.style;
  output.result('peers', { scope: settings.share, peers }, () => {
    if (settings.share === 'off') return ['Sharing is off: no peer is asked (moss share on --scope lan).'];
    if (peers.length === 0) return ['No peer is there.'];
    const rows = peers.map((peer) => [
      bold(peer.id),
      peer.connected ? `${peer.scope}, ${peer.transport}` : dim('not connected'),
      peer.roundTrip === null ? '' : `${peer.roundTrip} ms`,
      `${formatBytes(peer.received)} in, ${formatBytes(peer.sent)} out${peer.rate > 0 ? `, ${formatBytes(peer.rate)}/s` : ''}`,
      peer.banned === null ? dim(peer.address) : red(`banned since ${formatTime(peer.banned.since)}: ${peer.banned.reason}`),
    ]);
    return table(rows);
  });
}

/** Those of the daemon, or whoever answers now. */
async function connectedPeers({ layout, output, signal }: Context, settings: Settings): Promise<PeerStatus[]> {
  const daemon = await DaemonControl.find(layout);
  if (daemon !== undefined) return daemon.peers();
  if (settings.share === 'off') return [];
  const [{ SharingPeer }, { peersOf }, { nodeClock }] = await Promise.all([import('../peer/sharing-peer.ts'), import('../peer/daemon.ts'), import('../clock.ts')]);
  const sharing = await SharingPeer.start({ layout, settings, scope: settings.share, serves: false, onEvent: output.onEvent });
  try {
    await nodeClock.sleep(LOOK_AROUND, { signal });
    return peersOf(sharing);
  } finally {
    await sharing.stop();
  }
}

function knownPeers({ layout }: Context): KnownPeer[] {
  const book = openPeerBook(layout);
  try {
    return book.peers();
  } finally {
    book.close();
  }
}

interface Shown {
  id: string;
  connected: boolean;
  scope: string;
  transport: string | null;
  address: string;
  roundTrip: number | null;
  since: number | null;
  rate: number;
  sent: number;
  received: number;
  seen: number;
  banned: { since: number; reason: string } | null;
}

function describe(id: string, here: PeerStatus | undefined, known: KnownPeer | undefined): Shown {
  return {
    id,
    connected: here !== undefined,
    scope: here?.scope ?? known?.scope ?? 'swarm',
    transport: here?.transport ?? null,
    address: here?.address ?? known?.addresses[0] ?? '',
    roundTrip: here?.roundTrip ?? null,
    since: here?.since ?? null,
    rate: here?.rate ?? 0,
    sent: known?.sent ?? 0,
    received: known?.received ?? 0,
    seen: known?.seen ?? here?.since ?? 0,
    banned: known?.ban ?? null,
  };
}
