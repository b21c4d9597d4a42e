import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MossError } from '../../core/error.ts';
import { loadSettings, userSettingsFile } from '../config/settings.ts';
import { DaemonControl } from '../peer/control-client.ts';
import type { DaemonStatus } from '../peer/control.ts';
import { unitOf, type Unit } from '../peer/unit.ts';
import { count } from '../ui/format.ts';
import { defaultRoot, type Context } from './context.ts';
import { leaveSoon } from './leave.ts';
import { flagOption } from './options.ts';

/** Milliseconds for a daemon to be ready. */
const START = 20_000;
/**
 * V8's young generation stays at 1 MB of each half, which is 15 MB less in a process that mostly waits, and its old one
 * grows by a quarter before it is looked through, so that a flood of wants makes 100 MB less of garbage; with the last flag it
 * makes 40 MB less again (measured).
 */
const SMALL = ['--max-semi-space-size=1', '--heap-growing-percent=25', '--optimize-for-size'];
/** One arena of the C library instead of some for each thread, which keep what they once had: 15 to 20 MB of a flood (measured). */
const ONE_ARENA = { MALLOC_ARENA_MAX: '1' };

export async function run(context: Context, _: string[], options: Record<string, unknown>): Promise<void> {
  if (flagOption(options, 'installUnit') || flagOption(options, 'removeUnit')) {
    changeUnit(context, flagOption(options, 'installUnit'));
    return;
  }
  if (flagOption(options, 'stop')) {
    await stop(context);
    return;
  }
  const { share } = await loadSettings([userSettingsFile(context.environment), context.layout.settings]);
  if (share === 'off') throw new MossError('usage', 'sharing is off', { hint: 'Agree to it with `moss share on --scope lan`.' });
  if (context.dryRun) {
    context.output.result('daemon', { running: false, status: null, dryRun: true }, () => [`Would share (${share}) until it is stopped.`]);
    return;
  }
  await (flagOption(options, 'foreground') ? runHere(context) : startElsewhere(context));
}

async function runHere({ layout, environment, output, signal }: Context): Promise<void> {
  beSmall();
  const { runDaemon } = await import('../peer/daemon.ts');
  let told = false;
  await runDaemon({
    layout,
    environment,
    onEvent: (event) => {
      if (event.type === 'warning') output.warn(event.message, event.hint);
    },
    signal,
    onReady: (status) => {
      if (told) output.note(`Shares anew: ${status.scope}`);
      else report({ output }, status);
      told = true;
    },
  });
  leaveSoon();
}

/** The same process again with a small heap: V8 and the C library take that when they start, and not later. */
function beSmall(): void {
  const [, ...words] = process.argv;
  // Not on Windows, and not where this program was started in a way of its own.
  if (process.execve === undefined || SMALL.every((flag) => process.execArgv.includes(flag)) || words.length === 0) return;
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...SMALL, ...words], { ...process.env, ...ONE_ARENA });
}

/** In a session of its own, so that it outlives the terminal; its words go to a file. */
async function startElsewhere(context: Context): Promise<void> {
  const { layout } = context;
  const running = await DaemonControl.find(layout);
  if (running !== undefined) throw new MossError('locked', 'a daemon of this root is running already', { hint: 'See `moss share status`; `moss daemon --stop` ends it.' });
  mkdirSync(layout.peer, { recursive: true, mode: 0o700 });
  const log = join(layout.peer, 'daemon.log');
  const out = openSync(log, 'w', 0o600);
  const child = spawn(process.execPath, [...process.execArgv, ...ownProgram(), 'daemon', '--foreground', '--quiet', '--root', layout.root], { detached: true, stdio: ['ignore', out, out] });
  // Where it cannot be started, it has no pid.
  child.on('error', () => undefined);
  const limit = performance.now() + START;
  while (performance.now() < limit && child.exitCode === null && child.pid !== undefined) {
    const daemon = await DaemonControl.find(layout);
    if (daemon !== undefined) {
      child.unref();
      report(context, await daemon.status());
      return;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  child.kill();
  throw new MossError('io', 'the daemon did not start', { hint: readFileSync(log, 'utf8').trim().split('\n').slice(-3).join(' ') || `See ${log}.`, data: { path: log } });
}

function report({ output }: Pick<Context, 'output'>, status: DaemonStatus): void {
  output.result('daemon', { running: true, status }, () => [
    `Shares ${count(status.packages, 'package')} (${status.scope}) as ${status.peer}, process ${status.pid}.`,
    ...status.addresses.map((address) => `  ${address}`),
  ]);
}

async function stop({ layout, output, dryRun }: Context): Promise<void> {
  const daemon = await DaemonControl.find(layout);
  if (!dryRun) await daemon?.stop();
  output.result('daemon', { running: false, status: null, ...(dryRun && { dryRun }) }, () => [daemon === undefined ? 'No daemon of this root is running.' : dryRun ? 'Would end the daemon.' : 'The daemon ends.']);
}

function changeUnit({ root, environment, output, dryRun }: Context, install: boolean): void {
  const unit: Unit = unitOf({ root, isDefault: root === defaultRoot(environment), command: [process.execPath, ...ownProgram()], environment });
  if (!dryRun && install) {
    mkdirSync(dirname(unit.path), { recursive: true });
    writeFileSync(unit.path, unit.text);
  } else if (!dryRun && existsSync(unit.path)) rmSync(unit.path);
  const next = install ? `systemctl --user daemon-reload && systemctl --user enable --now ${unit.name}` : 'systemctl --user daemon-reload';
  output.result('daemon-unit', { unit: unit.name, path: unit.path, text: install ? unit.text : null, next, ...(dryRun && { dryRun }) }, () => [
    `${dryRun ? 'Would be' : 'Was'} ${install ? 'written' : 'removed'}: ${unit.path}`,
    `Next: ${next}`,
    ...(install ? ['It runs while you are logged in; to keep it running: loginctl enable-linger'] : []),
  ]);
}

/** How this program was started, without its arguments. */
function ownProgram(): string[] {
  const [, program] = process.argv;
  return program === undefined ? [] : [program];
}
