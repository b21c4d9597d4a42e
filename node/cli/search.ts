import { table } from '../ui/format.ts';
import { openCatalog } from './catalog.ts';
import type { Context } from './context.ts';
import { installedRows } from './installed.ts';

export async function run(context: Context, words: string[]): Promise<void> {
  const { output } = context;
  const catalog = await openCatalog(context);
  const installed = new Map((await installedRows(context)).map((row) => [row.name, row.version]));
  const found = catalog.search(words.join(' '));
  if (found.length === 0) output.note('No package has that in its name or summary.');
  const { bold, green, dim } = output.style;
  output.result(
    'search',
    {
      words,
      packages: found.map(({ name, version, architecture, repository, summary, size, download }) => ({
        name, version, architecture, repository, summary, size, download, installed: installed.get(name) ?? null,
      })),
    },
    () => table(found.map(({ name, version, summary }) => [bold(name), version, installed.has(name) ? green('installed') : '', dim(summary)])),
  );
}
