import { MossError } from '../../core/error.ts';
import type { InstalledRow } from '../system/database.ts';
import { activeNumber } from '../system/installed.ts';
import { table } from '../ui/format.ts';
import type { Context } from './context.ts';
import { installedRows } from './installed.ts';
import { flagOption } from './options.ts';

const LISTS = ['installed', 'explicit', 'available', 'sync'] as const;
type List = (typeof LISTS)[number];

export async function run(context: Context, words: string[], options: Record<string, unknown>): Promise<void> {
  const what = chooseList(words[0], options);
  if (what === 'available') await listAvailable(context);
  else if (what === 'sync') await listNewer(context);
  else await listInstalled(context, what);
}

/** @throws MossError `usage` for a word that is no list, and for two different ones */
function chooseList(word: string | undefined, options: Record<string, unknown>): List {
  const asked = new Set<List>(LISTS.filter((each) => each === word || flagOption(options, each)));
  if (word !== undefined && !LISTS.some((each) => each === word)) {
    throw new MossError('usage', `there is no list ${word}`, { hint: `Say ${LISTS.join(', ')}, or \`moss search ${word}\`.` });
  }
  // `--installed --explicit` is what it says: the explicit ones are installed.
  if (asked.has('explicit')) asked.delete('installed');
  if (asked.size > 1) throw new MossError('usage', `these are two lists: ${[...asked].join(', ')}`, { hint: 'Say one.' });
  const [only = 'installed'] = asked;
  return only;
}

async function listInstalled(context: Context, what: 'installed' | 'explicit'): Promise<void> {
  const { output, layout } = context;
  const rows = (await installedRows(context)).filter(({ explicit }) => explicit || what === 'installed');
  if (rows.length === 0) output.note('Nothing is installed yet. `moss install PACKAGE` does it.');
  const { bold, dim } = output.style;
  output.result('list', { what, state: activeNumber(layout) ?? null, packages: rows.map((row) => installedValue(row)) }, () =>
    table(rows.map(({ name, version, summary, explicit }) => [explicit ? bold(name) : name, version, dim(summary)])),
  );
}

function installedValue({ name, version, architecture, repository, explicit, components, summary, size }: InstalledRow): Record<string, unknown> {
  return { name, version, architecture, repository, explicit, components, summary, size };
}

async function listAvailable(context: Context): Promise<void> {
  const { openCatalog } = await import('./catalog.ts');
  const catalog = await openCatalog(context);
  const installed = new Map((await installedRows(context)).map((row) => [row.name, row.version]));
  const { green, dim } = context.output.style;
  const packages = [...catalog.names()].flatMap((name) => catalog.candidates(name)[0] ?? []);
  context.output.result(
    'list',
    {
      what: 'available',
      state: activeNumber(context.layout) ?? null,
      packages: packages.map(({ name, version, architecture, repository, summary, size, download }) => ({
        name, version, architecture, repository, summary, size, download, installed: installed.get(name) ?? null,
      })),
    },
    () => table(packages.map(({ name, version, summary }) => [installed.has(name) ? green(name) : name, version, dim(summary)])),
  );
}

/** Installed packages of which the repositories have something newer, as they said last. */
async function listNewer(context: Context): Promise<void> {
  const { openCatalog } = await import('./catalog.ts');
  const { compareVersions } = await import('../../core/repo/version.ts');
  const catalog = await openCatalog(context);
  const newer = (await installedRows(context)).flatMap((row) => {
    const found = catalog
      .candidates(row.name)
      .find((each) => each.format === row.format && (each.architecture === row.architecture || each.architecture === 'all') && compareVersions(row.format, each, row) > 0);
    return found === undefined ? [] : [{ name: row.name, installed: row.version, version: found.version, repository: found.repository, download: found.download }];
  });
  if (newer.length === 0) context.output.note('Everything is as new as what the repositories said last.');
  const { bold } = context.output.style;
  context.output.result('list', { what: 'sync', state: activeNumber(context.layout) ?? null, packages: newer }, () =>
    table(newer.map(({ name, installed, version }) => [bold(name), `${installed} → ${version}`])),
  );
}
