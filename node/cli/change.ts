/** Shows a change, asks, does it, and says what happened: the common part of `install`, `remove` and `sync`. */
import type { Listener } from '../../core/install/event.ts';
import { applyChange } from '../system/apply.ts';
import { planChange, type Change, type ChangeRequest } from '../system/change.ts';
import { activeNumber } from '../system/installed.ts';
import { ByteLedger } from '../system/ledger.ts';
import { keepBounds, makeRoom, type Room } from '../system/space.ts';
import { System } from '../system/system.ts';
import { count, formatBytes, formatDuration, formatList, printable, table } from '../ui/format.ts';
import type { Styles } from '../ui/style.ts';
import type { Context } from './context.ts';
import { ledgerLines } from './ledger-lines.ts';

export async function changeAndReport(context: Context, verb: string, request: ChangeRequest, before?: (system: System) => Promise<void>): Promise<void> {
  const { output, signal, environment } = context;
  const start = performance.now();
  const ledger = new ByteLedger();
  const onEvent: Listener = (event) => {
    ledger.take(event);
    output.onEvent(event);
  };
  const system = await System.openToWrite({ root: context.root, onEvent, signal, environment, asksPeers: context.dryRun ? false : request.upgrade === undefined ? true : 'early' });
  try {
    await before?.(system);
    const change = await planChange(system, { ...request, signal });
    const summary = summaryOf(change);
    if (change.empty || context.dryRun) {
      output.result(verb, { ...summary, ...(context.dryRun && { dryRun: true }) }, () =>
        change.empty ? ['Nothing to do.'] : [...describe(change, output.style), '', 'Nothing was changed (--dry-run).'],
      );
      return;
    }
    output.endProgress();
    output.tell(describe(change, output.style).join('\n'));
    await context.confirm('Go on?');
    const previous = activeNumber(context.layout);
    const room = await makeRoom(system, bytesAdded(change), change.packages);
    const { state, received, configured } = await applyChange(system, change, { signal });
    ledger.keep(context.layout, change);
    const kept = await keepBounds(system, previous);
    const pruned = { states: [...room.states, ...kept.states], freed: { files: room.freed.files + kept.freed.files, bytes: room.freed.bytes + kept.freed.bytes } };
    const ms = performance.now() - start;
    const sources = Object.fromEntries(received);
    output.result(verb, { ...summary, state: state.number, sources, ledger: ledger.sums(change), ...configured, pruned, milliseconds: Math.round(ms) }, () => [
      `State ${state.number} is active: ${count(state.packages.length, 'package')}, after ${formatDuration(ms)}.`,
      ...ledgerLines(ledger, change),
      ...(pruned.states.length > 0 || pruned.freed.bytes > 0 ? [describePruned(pruned)] : []),
      ...configured.beside.map((path) => `  /${path} was changed by you: the package's is /${path}.moss-new`),
      ...configured.kept.map((path) => `  /${path} was changed by you and stays`),
    ]);
  } catch (error) {
    if (!context.dryRun) ledger.keepOfFailed(context.layout);
    throw error;
  } finally {
    await system.close();
  }
}

/** Bytes on disk that a change adds, roughly: a file fills whole blocks. */
function bytesAdded({ plan, tree }: Change): number {
  const directories = tree.system.filter(({ entry }) => entry.type === 'directory').length;
  return plan.bytes + (plan.files / 2 + directories) * BLOCK;
}

/** Bytes of a block of the usual file systems. */
const BLOCK = 4096;

function describePruned({ states, freed }: Room): string {
  const what = states.length === 0 ? 'what no state needs' : `${states.length === 1 ? 'state' : 'states'} ${formatList(states.map(String))}`;
  return `  Removed ${what}, by keep-states and store-quota: ${formatBytes(freed.bytes)} freed`;
}

/** The change for programs. */
function summaryOf(change: Change): Record<string, unknown> {
  const { resolution, plan } = change;
  const explicit = new Set(resolution.explicit);
  return {
    install: resolution.install.map(({ name, version, repository }) => ({ name, version, repository, explicit: explicit.has(name) })),
    upgrade: resolution.upgrade.map(({ from, to }) => ({ name: to.name, from: from.version, to: to.version })),
    downgrade: resolution.downgrade.map(({ from, to }) => ({ name: to.name, from: from.version, to: to.version })),
    remove: resolution.remove.map(({ name, reason }) => ({ name, reason })),
    components: change.components,
    orphans: change.orphans,
    heldBack: resolution.heldBack.map(({ from, to }) => ({ name: to.name, from: from.version, to: to.version })),
    download: plan.download,
    ways: { deltas: plan.deltas, frames: plan.download - plan.deltas, withoutDeltas: change.whole },
    files: plan.files,
    bytes: plan.bytes,
    privileged: change.privileged,
    scripts: change.scripts.map(({ package: name, scripts }) => ({ package: name, scripts: scripts.map((script) => script.name) })),
  };
}

/** Components that are named: a package may have a hundred languages. */
const NAMED_COMPONENTS = 6;

function someOf(components: readonly string[]): string {
  const named = components.slice(0, NAMED_COMPONENTS).join(', ');
  return components.length > NAMED_COMPONENTS ? `${named} and ${components.length - NAMED_COMPONENTS} more` : named;
}

/** The change for people. */
function describe(change: Change, { bold, dim, green, red, yellow }: Styles): string[] {
  const { resolution, plan, orphans } = change;
  const explicit = new Set(resolution.explicit);
  const lines: string[] = [];
  const section = (title: string, rows: string[][]): void => {
    if (rows.length > 0) lines.push(bold(title), ...table(rows.map((row) => [' ', ...row])));
  };
  section('Install', resolution.install.filter(({ name }) => explicit.has(name)).map(({ name, version }) => [green(name), version]));
  section('Install, since they are needed', resolution.install.filter(({ name }) => !explicit.has(name)).map(({ name, version }) => [name, dim(version)]));
  section('Upgrade', resolution.upgrade.map(({ from, to }) => [green(to.name), `${from.version} → ${to.version}`]));
  section('Downgrade', resolution.downgrade.map(({ from, to }) => [yellow(to.name), `${from.version} → ${to.version}`]));
  section('Remove', resolution.remove.map(({ name, reason }) => [red(name), dim(reason)]));
  section('Remove, since nothing needs them any more', orphans.map((name) => [red(name)]));
  section('Bring components', change.components.flatMap(({ name, added }) => (added.length > 0 ? [[green(name), someOf(added)]] : [])));
  section('Leave components out', change.components.flatMap(({ name, removed }) => (removed.length > 0 ? [[red(name), someOf(removed)]] : [])));
  section('Held back', resolution.heldBack.map(({ from, to }) => [yellow(to.name), `${from.version}, although there is ${to.version}`]));
  section('Runs with the rights of its owner', change.privileged.map((each) => [yellow(each.package), `/${printable(each.path)}`, each.mode.toString(8)]));
  if (change.scripts.length > 0) {
    lines.push(dim(`Maintainer scripts that are not run: ${change.scripts.map(({ package: name, scripts }) => `${name} (${scripts.map((script) => script.name).join(', ')})`).join('; ')}`));
  }
  lines.push(`${formatBytes(plan.download)} to fetch${plan.deltas > 0 ? ` (${formatBytes(plan.deltas)} as deltas; ${formatBytes(change.whole)} without them)` : ''}, ${count(plan.files, 'new file')}, ${formatBytes(plan.bytes)} on disk`);
  return lines;
}
