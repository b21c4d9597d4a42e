import { loadSettings, userSettingsFile, type Settings } from '../config/settings.ts';
import { DaemonControl } from '../peer/control-client.ts';
import type { DaemonStatus } from '../peer/control.ts';
import { openPeerBook } from '../peer/peer-access.ts';
import { count, formatBytes, formatTime, table } from '../ui/format.ts';
import type { Context } from './context.ts';

export async function run(context: Context): Promise<void> {
  const settings = await loadSettings([userSettingsFile(context.environment), context.layout.settings]);
  await shareAndReport(context, 'share-status', settings, await DaemonControl.find(context.layout));
}

/** What `share on`, `share off` and `share status` say in the end. */
export async function shareAndReport(context: Context, schema: string, settings: Settings, daemon: DaemonControl | undefined): Promise<void> {
  const { output, dryRun } = context;
  const status = await daemon?.status();
  const month = usedThisMonth(context, settings);
  const document = { scope: settings.share, swarmServes: settings['swarm-serves'], daemon: status ?? null, uploadedThisMonth: month, ...(dryRun && { dryRun }) };
  output.result(schema, document, () => [...linesOf(settings, status, month), ...(settings.share !== 'off' && status === undefined ? [`Nothing is served until a daemon runs: moss daemon`] : [])]);
}

function usedThisMonth({ layout }: Context, { share }: Settings): number {
  if (share === 'off') return 0;
  const book = openPeerBook(layout);
  try {
    return book.sentThisMonth;
  } finally {
    book.close();
  }
}

const SCOPES: Record<Settings['share'], string> = {
  off: 'Sharing is off: nothing is announced, and no peer is asked.',
  lan: 'Shares on the local network: machines there see that this one has moss, and can ask for files of its packages.',
  swarm: 'Shares with the swarm: anybody can see that this machine has moss, and which repositories it uses.',
};

const REACHABLE: Record<DaemonStatus['reachable'], string> = {
  directly: 'reached directly',
  'by-relay': 'met by way of a relay, since nobody can dial it',
  none: 'nobody is known to reach it yet',
};

function linesOf(settings: Settings, status: DaemonStatus | undefined, month: number): string[] {
  const lines = [SCOPES[settings.share]];
  if (settings.share === 'off') return lines;
  const rows = [['Upload beyond the local network', `${limit(settings['upload-rate'], 'a second')}, ${limit(settings['monthly-upload'], 'a month')}; this month ${formatBytes(month)}`]];
  if (settings.share === 'swarm') rows.push(['Served to the swarm', settings['swarm-serves'] === 'installed' ? 'what is installed: others can find out what that is' : 'nothing that is installed']);
  if (status !== undefined) {
    rows.push(
      ['Daemon', `process ${status.pid}, since ${formatTime(status.since)}`],
      ['Peer id', status.peer],
      ['Reached at', status.addresses.join('\n') || 'no address'],
      ...(settings.share === 'swarm' ? [['From beyond the network', REACHABLE[status.reachable]]] : []),
      ['Serves', `${count(status.packages, 'package')}, ${count(status.contents, 'content')} of ${count(status.repositories, 'repository', 'repositories')}, to ${count(status.streams, 'stream')} now`],
    );
  }
  return [...lines, ...table(rows.map(([name = '', value = '']) => [name, value.replaceAll('\n', `\n${' '.repeat(33)}`)]))];
}

function limit(bytes: number, unit: string): string {
  return bytes === 0 ? 'no limit' : `${formatBytes(bytes)} ${unit}`;
}
