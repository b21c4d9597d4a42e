import { activeNumber } from '../system/installed.ts';
import { printable } from '../ui/format.ts';
import type { Context } from './context.ts';
import { askInstalled, installedRows, notInstalled } from './installed.ts';

export async function run(context: Context, [name = '']: string[]): Promise<void> {
  const rows = await installedRows(context);
  const row = rows.find((each) => each.name === name);
  if (row === undefined) throw await notInstalled(name, rows);
  const files = (await askInstalled(context, (database, state) => database.files(state, name))) ?? [];
  context.output.result(
    'files',
    { name, version: row.version, state: activeNumber(context.layout) ?? null, files: files.map((file) => ({ ...file, path: `/${file.path}` })) },
    () => files.filter(({ type }) => type !== 'directory').map(({ path }) => `/${printable(path)}`),
  );
}
