import type { Candidate } from '../../core/repo/index-file.ts';
import { MossError } from '../../core/error.ts';
import type { InstalledRow } from '../system/database.ts';
import { formatBytes, formatNumber, table } from '../ui/format.ts';
import { noRepository, openCatalog } from './catalog.ts';
import type { Context } from './context.ts';
import { installedRows } from './installed.ts';

interface Known {
  name: string;
  installed: InstalledRow | undefined;
  available: readonly Candidate[];
}

export async function run(context: Context, names: string[]): Promise<void> {
  const { output } = context;
  const rows = await installedRows(context);
  const catalog = await openCatalog(context).catch((error: unknown) => {
    // What is installed can be told without a repository.
    if (error instanceof MossError && error.code === 'not-found' && error.message === noRepository().message && rows.length > 0) return undefined;
    throw error;
  });
  const known: Known[] = [];
  for (const name of names) {
    const item: Known = { name, installed: rows.find((row) => row.name === name), available: catalog?.candidates(name) ?? [] };
    if (item.installed === undefined && item.available.length === 0) {
      const { similarNames } = await import('../../core/repo/resolver/suggest.ts');
      const similar = similarNames(name, [...(catalog?.names() ?? []), ...rows.map((row) => row.name)]);
      throw new MossError('not-found', `there is no package ${name}`, {
        hint: similar.length > 0 ? `Did you mean ${[...new Set(similar)].join(', ')}?` : `\`moss search ${name}\` looks into summaries, too.`,
        data: { package: name },
      });
    }
    known.push(item);
  }
  output.result('info', { packages: known.map((item) => infoValue(item)) }, () => known.map((item) => infoLines(item, output.style.bold).join('\n')).join('\n\n').split('\n'));
}

function infoValue({ name, installed, available }: Known): Record<string, unknown> {
  return {
    name,
    summary: available[0]?.summary ?? installed?.summary ?? '',
    homepage: available[0]?.homepage ?? '',
    installed: installed === undefined ? null : without(installed, 'summary'),
    available: available.map((candidate) => without(candidate, 'summary')),
  };
}

function without(value: object, key: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key && name !== 'name'));
}

function infoLines({ name, installed, available }: Known, bold: (text: string) => string): string[] {
  const [newest] = available;
  const rows: string[][] = [['name', bold(name)]];
  const add = (label: string, text: string | undefined): void => {
    if (text !== undefined && text !== '') rows.push([label, text]);
  };
  add('summary', newest?.summary ?? installed?.summary);
  add('homepage', newest?.homepage);
  if (installed !== undefined) {
    add('installed', `${installed.version} (${installed.explicit ? 'asked for' : 'since another package needs it'}), ${formatBytes(installed.size)} on disk, from ${installed.repository}`);
    const { with: wanted, without: unwanted } = installed.wishes ?? { with: [], without: [] };
    const said = [...(wanted.length > 0 ? [`asked for with ${wanted.join(', ')}`] : []), ...(unwanted.length > 0 ? [`without ${unwanted.join(', ')}`] : [])].join(', ');
    add('components', `${installed.components.join(', ')}${said === '' ? '' : ` (${said})`}`);
  }
  if (newest === undefined) return table(rows);
  add('version', newest.version);
  for (const { version, architecture, repository } of available.slice(1)) add('', `also ${version} for ${architecture} in ${repository}`);
  add('architecture', newest.architecture);
  add('repository', newest.repository);
  add('to fetch', formatBytes(newest.download));
  add('on disk', `${formatBytes(newest.size)} in ${formatNumber(newest.files)} entries`);
  add('needs', newest.depends.join(', '));
  add('recommends', newest.recommends.join(', '));
  add('provides', newest.provides.join(', '));
  add('conflicts', [...newest.conflicts, ...newest.breaks].join(', '));
  add('replaces', newest.replaces.join(', '));
  if (newest.essential) add('essential', 'yes: the system needs it to run');
  if (!newest.announce) add('announce', 'no: nobody is told that it is here');
  return table(rows);
}
