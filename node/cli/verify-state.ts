/** Verifies a state, shows what is broken, and mends it where that was asked for: `verify` and `state verify`. */
import { relative } from 'node:path';
import { MossError } from '../../core/error.ts';
import type { PackagePath } from '../../core/dag/path.ts';
import { restoreConfiguration } from '../system/configure.ts';
import type { Problem } from '../link/look.ts';
import { mendDatabase, mendRecords, recordOf, verifyDatabase, verifyRecords } from '../system/records.ts';
import { planRepair, repairState, type Repaired, type RepairPlan } from '../system/repair.ts';
import { System } from '../system/system.ts';
import { verifyState, type Changed, type Finding, type VerifiedState } from '../system/verify.ts';
import { count, formatBytes, formatDuration, formatNumber, printable, table } from '../ui/format.ts';
import type { Styles } from '../ui/style.ts';
import type { Context } from './context.ts';

export interface VerifyRequest {
  number: number;
  /** Names; all packages where there are none. */
  packages: readonly string[];
  repair: boolean;
  quick: boolean;
  /** Whether the user's configuration files become those of their packages again. */
  restores: boolean;
}

const WORDS: Record<Problem, string> = {
  missing: 'is missing',
  altered: 'has other content',
  touched: 'was written to',
  mode: 'has other permissions',
  owner: 'has another owner',
  link: 'leads elsewhere',
  type: 'is something else',
  original: 'has lost its original in the store',
};
/** Rows that are shown to people; programs get all. */
const SHOWN = 50;

/** @returns 1 while something is broken */
export async function verifyAndReport(context: Context, schema: string, request: VerifyRequest): Promise<number> {
  const { output, signal } = context;
  const { number, quick } = request;
  const start = performance.now();
  const mends = request.repair && !context.dryRun;
  const restores = request.restores && !context.dryRun;
  const options = { root: context.root, onEvent: output.onEvent, signal, environment: context.environment, asksPeers: mends };
  const system = mends || restores ? await System.openToWrite(options) : await System.open(options);
  try {
    if (!quick) system.pool.start();
    const { state, findings: ofRecord } = recordOf(system, number, { mend: mends });
    const chosen = chooseNames(request.packages, state.packages.map(({ name }) => name));
    const records = await verifyRecords(system, state);
    // Without the records it cannot be told how the rest should be.
    if (mends && records.findings.length > 0) await mendRecords(system, state, records, { signal });
    const readable = mends ? state.packages : records.readable;
    const packages = chosen === undefined ? readable : readable.filter(({ name }) => chosen.has(name));
    const database: Finding[] = [];
    const verified = await verifyState(system, number, {
      full: !quick,
      packages,
      all: packages.length === state.packages.length,
      meanwhile: async (pause) => {
        if (readable.length === state.packages.length) database.push(...(await verifyDatabase(system, state, pause)));
      },
      signal,
    });
    if (mends && database.length > 0) await mendDatabase(system);
    const broken = [...verified.links.map(({ path, problem }) => ({ path: relative(context.root, path), package: '', problem })), ...verified.broken.map(({ path, package: owner, problem }) => ({ path, package: owner, problem }))];
    const findings = [...ofRecord, ...records.findings, ...database, ...broken];
    const plan = broken.length > 0 ? await planRepair(system, verified, readable) : undefined;
    const { entries, files, bytes, changed, extra } = verified;
    const restored: PackagePath[] = [];
    const restore = async (): Promise<void> => {
      const paths = restores ? changedOf(verified).map(({ path }) => path) : [];
      if (paths.length === 0) return;
      output.endProgress();
      output.tell(`${count(paths.length, 'configuration file')} to put back: ${someOf(paths)}`);
      await context.confirm('Put back?');
      restored.push(...(await restoreConfiguration(system, number, new Set(paths))));
    };
    const document = { state: number, quick, entries, files, bytes, findings, changed, extra, repair: costOf(plan) };
    const lines = describe(findings, output.style);
    const remarks = remarksOn(verified, output.style);
    if (findings.length === 0 || !mends) {
      await restore();
      output.result(schema, { ...document, repaired: null, restored }, () => [
        ...lines,
        findings.length === 0
          ? `${output.style.green('Whole:')} ${count(entries, 'entry', 'entries')} of state ${number}${quick ? ', by size, time and mode' : `, ${formatBytes(bytes)} read`}, in ${formatDuration(performance.now() - start)}.`
          : `${count(findings.length, 'entry is', 'entries are')} not as signed, of ${formatNumber(entries)} in state ${number}.`,
        ...(restored.length > 0 ? describeRestored(restored) : remarks),
      ]);
      if (findings.length > 0) output.note(`Mend them with --repair${plan === undefined ? '' : `: ${toFetch(plan)}`}.`);
      return findings.length > 0 ? 1 : 0;
    }
    output.endProgress();
    output.tell([...lines, ...remarks].join('\n'));
    let repaired: Repaired = { entries: 0, files: 0, received: new Map() };
    if (plan !== undefined) {
      output.tell(`${count(broken.length, 'entry', 'entries')} to mend: ${toFetch(plan)}`);
      await context.confirm('Mend?');
      repaired = await repairState(system, plan, { signal });
    }
    await restore();
    const mended = findings.length - broken.length + repaired.entries;
    output.result(schema, { ...document, repaired: { entries: mended, files: repaired.files, sources: Object.fromEntries(repaired.received) }, restored }, () => [
      `Mended ${count(mended, 'entry', 'entries')} with ${count(repaired.files, 'file')} fetched again, after ${formatDuration(performance.now() - start)}.`,
      ...[...repaired.received].map(([source, from]) => `  ${formatBytes(from)} from ${source}`),
      ...describeRestored(restored),
    ]);
    return 0;
  } finally {
    await system.close();
  }
}

/** @throws MossError `not-found` */
function chooseNames(wanted: readonly string[], installed: readonly string[]): ReadonlySet<string> | undefined {
  const missing = wanted.find((name) => !installed.includes(name));
  if (missing !== undefined) throw new MossError('not-found', `${missing} is not installed`, { hint: 'See `moss list`.', data: { package: missing } });
  return wanted.length === 0 ? undefined : new Set(wanted);
}

function describe(findings: readonly Finding[], { red, dim }: Styles): string[] {
  const lines = table(findings.slice(0, SHOWN).map(({ path, problem, package: owner }) => [`/${printable(path)}`, red(WORDS[problem]), dim(owner === '' ? "moss's own" : owner)]));
  if (findings.length > SHOWN) lines.push(dim(`... and ${count(findings.length - SHOWN, 'more', 'more')} (--json lists all)`));
  return lines;
}

function describeRestored(paths: readonly string[]): string[] {
  return paths.length === 0 ? [] : [`Put back ${count(paths.length, 'configuration file')}: ${someOf(paths)}; what was changed lies beside, as .moss-old.`];
}

/** The user's files that are known to be other than their packages brought them. */
function changedOf({ changed }: VerifiedState): Changed[] {
  return changed.filter(({ problem }) => problem !== 'unreadable');
}

/** What is no damage, and is left alone. */
function remarksOn(verified: VerifiedState, { dim }: Styles): string[] {
  const changed = changedOf(verified);
  const unreadable = verified.changed.filter(({ problem }) => problem === 'unreadable');
  const { extra } = verified;
  return [
    ...(changed.length > 0 ? [dim(`Yours, and left alone: ${count(changed.length, 'configuration file')} changed or removed (--restore-config puts the packages' own back): ${someOf(changed.map(({ path }) => path))}`)] : []),
    ...(unreadable.length > 0 ? [dim(`Not looked at, since you may not read them: ${count(unreadable.length, 'configuration file')}: ${someOf(unreadable.map(({ path }) => path))}`)] : []),
    ...(extra.length > 0 ? [dim(`Of no package, and left alone: ${count(extra.length, 'file or directory', 'files or directories')}: ${someOf(extra)}`)] : []),
  ];
}

function someOf(paths: readonly string[]): string {
  return `${paths.slice(0, 3).map((path) => `/${printable(path)}`).join(', ')}${paths.length > 3 ? ', ... (--json lists all)' : ''}`;
}

function costOf(plan: RepairPlan | undefined): { files: number; download: number } {
  return { files: plan?.fetch.files ?? 0, download: plan?.fetch.download ?? 0 };
}

function toFetch({ fetch }: RepairPlan): string {
  return fetch.frames.length === 0 ? 'nothing to fetch' : `${count(fetch.files, 'file')} to fetch again, in ${formatBytes(fetch.download)}`;
}
