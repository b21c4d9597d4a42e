/** Verifies a state, shows what is broken, and mends it where that was asked for: `verify` and `state verify`. */
import type { FileId } from '../../core/dag/file-id.ts';
import type { State } from '../../core/install/state.ts';
import { requireState } from '../system/states.ts';
import { System } from '../system/system.ts';
import { repairState } from '../system/repair.ts';
import { verifyState, type Problem, type VerifiedState } from '../system/verify.ts';
import { count, formatBytes, formatDuration, table } from '../ui/format.ts';
import type { Context } from './context.ts';

export interface VerifyRequest {
  number: number;
  packages: readonly string[];
  repair: boolean;
  quick: boolean;
}

const WORDS: Record<Problem, string> = {
  missing: 'is missing',
  altered: 'has other content',
  mode: 'has other permissions',
  link: 'leads elsewhere',
  type: 'is something else',
};
/** Rows that are shown to people; programs get all. */
const SHOWN = 50;

/** @returns 1 while something is broken */
export async function verifyAndReport(context: Context, schema: string, { number, packages, repair, quick }: VerifyRequest): Promise<number> {
  const { output, signal } = context;
  const start = performance.now();
  const mends = repair && !context.dryRun;
  const options = { root: context.root, onEvent: output.onEvent, signal, environment: context.environment };
  const system = mends ? await System.openToWrite(options) : await System.open(options);
  try {
    if (mends) await fetchRecords(system, requireState(context.layout, number), signal);
    const verified = await verifyState(system, number, { full: !quick, packages, signal });
    const { findings, entries, files, bytes } = verified;
    const { red, dim, green } = output.style;
    const lines = table(findings.slice(0, SHOWN).map(({ path, problem, package: owner }) => [`/${path}`, red(WORDS[problem]), dim(owner)]));
    if (findings.length > SHOWN) lines.push(dim(`... and ${count(findings.length - SHOWN, 'more', 'more')} (--json lists all)`));
    const document = { state: number, quick, entries, files, bytes, findings };
    if (findings.length === 0 || !mends) {
      output.result(schema, { ...document, repaired: null }, () => [
        ...lines,
        findings.length === 0
          ? `${green('Whole:')} ${count(entries, 'entry', 'entries')} of state ${number}${quick ? ', by size, time and mode' : `, ${formatBytes(bytes)} read`}, in ${formatDuration(performance.now() - start)}.`
          : `${count(findings.length, 'entry is', 'entries are')} not as signed, of ${entries.toLocaleString('en')} in state ${number}.`,
      ]);
      if (findings.length > 0) output.note('Mend them with --repair.');
      return findings.length > 0 ? 1 : 0;
    }
    output.endProgress();
    output.tell(lines.join('\n'));
    const wanted = filesToMend(verified);
    output.tell(`${count(findings.length, 'entry', 'entries')} to mend; at most ${formatBytes(wanted.bytes)} of ${count(wanted.files, 'file')} to fetch`);
    await context.confirm('Mend?');
    const { entries: mended, files: fetched, received } = await repairState(system, verified, { signal });
    output.result(schema, { ...document, repaired: { entries: mended, files: fetched, sources: Object.fromEntries(received) } }, () => [
      `Mended ${count(mended, 'entry', 'entries')} with ${count(fetched, 'file')} fetched again, after ${formatDuration(performance.now() - start)}.`,
      ...[...received].map(([source, from]) => `  ${formatBytes(from)} from ${source}`),
    ]);
    return 0;
  } finally {
    await system.close();
  }
}

function filesToMend({ broken }: VerifiedState): { files: number; bytes: number } {
  const sizes = new Map<FileId, number>();
  for (const { entry } of broken) if (entry.type === 'file') sizes.set(entry.id, entry.size);
  return { files: sizes.size, bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) };
}

/** The manifests and tables that say how a state should be: those that were lost or damaged are fetched again. */
async function fetchRecords(system: System, { packages }: State, signal: AbortSignal): Promise<void> {
  const known = new Set(system.repositories.list().map(({ name }) => name));
  for (const [repository, some] of Map.groupBy(packages, (each) => each.repository)) {
    await system.packages.fetch(
      some.map(({ manifest, components }) => ({ manifest, wants: (component) => components.includes(component) })),
      { sources: known.has(repository) ? system.repositories.sources(repository) : [], signal },
    );
  }
}
