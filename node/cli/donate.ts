import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { BEST_CONDITIONS } from '../../core/donate/conditions.ts';
import type { DonorEvent } from '../../core/donate/donor.ts';
import { DEFAULT_SETTINGS, readSettings, repositoryUrl, type DonorSettings, type Hours } from '../../core/donate/settings.ts';
import type { DonorStatus } from '../../core/donate/status.ts';
import { MossError } from '../../core/error.ts';
import { parseFingerprint } from '../../core/trust/fingerprint.ts';
import { readBytes } from '../config/settings.ts';
import { count, formatBytes } from '../ui/format.ts';
import type { Context } from './context.ts';
import { leaveSoon } from './leave.ts';
import { flagOption, numberOption, textOption } from './options.ts';

/** Peers at the same time. */
const PEERS = 64;

export async function run(context: Context, [url = '']: string[], options: Record<string, unknown>): Promise<void> {
  const { output, environment, signal, dryRun } = context;
  const repository = repositoryUrl(url);
  const directory = directoryOf(repository, environment);
  if (flagOption(options, 'delete')) {
    if (!dryRun) rmSync(directory, { recursive: true, force: true });
    output.result('donate', { repository, directory, deleted: true, ...(dryRun && { dryRun }) }, () => [`${dryRun ? 'Would remove' : 'Removed'} what was held for ${repository}.`]);
    return;
  }
  const settings = settingsOf(repository, options);
  const { rate, month, quota } = settings;
  const limits = `${rate === 0 ? 'no limit' : `${formatBytes(rate)}/s`}, ${month === 0 ? 'no limit' : formatBytes(month)} a month, ${formatBytes(quota)} of disk`;
  if (dryRun) {
    output.result('donate', { repository, directory, settings: { ...settings }, dryRun }, () => [`Would give bandwidth to ${repository}: ${limits}.`]);
    return;
  }
  await context.confirm(`Hold packages of ${repository}, and serve them to anybody who asks (${limits})?`, false);
  const { makeDonor } = await import('../donate/donor.ts');
  const donor = makeDonor({
    directory,
    host: textOption(options, 'host'),
    port: numberOption(options, 'port') ?? 0,
    webTransport: flagOption(options, 'webtransport'),
    connections: PEERS,
    onWarning: (message) => output.warn(message),
  });
  donor.subscribe((event) => tell(context, event));
  const ready = Promise.withResolvers<DonorStatus>();
  const done = donor.subscribe(() => {
    if (donor.status.id !== undefined) ready.resolve(donor.status);
  });
  await donor.start(settings, BEST_CONDITIONS);
  try {
    const aborted = signal.aborted ? Promise.resolve() : once(signal, 'abort').then(() => undefined);
    const status = await Promise.race([ready.promise, aborted]);
    done();
    if (status !== undefined) {
      output.result('donate', { repository, directory, settings: { ...settings }, id: status.id, addresses: status.addresses }, () => [
        `Gives bandwidth to ${repository} as the peer ${status.id}: ${limits} (Ctrl-C stops)`,
        ...status.addresses.map((address) => `  ${address}`),
      ]);
    }
    await aborted;
  } finally {
    await donor.stop();
    leaveSoon();
  }
}

/** With `--json` each status is an event; else a line where something of it matters. */
function tell({ output }: Context, event: DonorEvent): void {
  if (event.type === 'banned') output.warn(`${event.peer} was banned: ${event.failure.message}`);
  else if (event.type === 'warning') output.warn(event.failure.message, event.failure.hint);
  else if (output.options.json) output.event({ type: 'donor', status: event.status });
  else if (output.options.verbose || event.status.state !== 'serving') output.note(lineOf(event.status));
}

function lineOf(status: DonorStatus): string {
  const gave = `gave ${formatBytes(status.given)} (${formatBytes(status.month)} this month) to ${count(status.helped, 'peer')}`;
  switch (status.state) {
    case 'idle':
      return `Idle (${status.reason}); ${gave}`;
    case 'failing':
      return `${status.failure.message}; tries again`;
    case 'filling':
      return `Fetches ${formatBytes(status.filling?.done ?? 0)} of ${formatBytes(status.filling?.total ?? 0)}; ${gave}`;
    default:
      return `${status.state}: holds ${count(status.held.length, 'package')}, ${formatBytes(status.stored)}; ${gave} at ${formatBytes(status.rate)}/s`;
  }
}

function settingsOf(repository: string, options: Record<string, unknown>): DonorSettings {
  const bytes = (name: 'rate' | 'month' | 'quota'): number => {
    const text = textOption(options, name);
    if (text === undefined) return DEFAULT_SETTINGS[name];
    const read = readBytes(text.replace(/\/s$/, ''));
    if (read === undefined) throw new MossError('usage', `--${name} is bytes, such as 500MB, not ${text}`);
    return read;
  };
  const fingerprint = textOption(options, 'fingerprint');
  return readSettings({
    repository,
    rate: bytes('rate'),
    month: bytes('month'),
    quota: bytes('quota'),
    ...(fingerprint !== undefined && { fingerprint: parseFingerprint(fingerprint) }),
    hours: hoursOf(textOption(options, 'hours')),
  });
}

function hoursOf(text: string | undefined): Hours | undefined {
  if (text === undefined) return undefined;
  const [, ...parts] = /^(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)$/.exec(text) ?? [];
  const [h1 = 24, m1 = 0, h2 = 24, m2 = 0] = parts.map(Number);
  if (h1 > 23 || h2 > 23 || m1 > 59 || m2 > 59) throw new MossError('usage', `--hours is two times of the day, such as 22:00-06:00, not ${text}`);
  return { from: 60 * h1 + m1, to: 60 * h2 + m2 };
}

/** Of each repository its own, so that several may be given to. */
function directoryOf(repository: string, environment: Record<string, string | undefined>): string {
  const name = createHash('sha256').update(repository).digest('hex').slice(0, 16);
  return join(environment['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'moss-donor', name);
}
