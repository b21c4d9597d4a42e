import { changeAndReport } from './change.ts';
import type { Context } from './context.ts';
import { installedRows, notInstalled } from './installed.ts';
import { flagOption } from './options.ts';

export async function run(context: Context, names: string[], options: Record<string, unknown>): Promise<void> {
  const rows = await installedRows(context);
  for (const name of names) if (!rows.some((row) => row.name === name)) throw await notInstalled(name, rows);
  await changeAndReport(context, 'remove', {
    remove: names,
    removeOrphans: !flagOption(options, 'keepOrphans'),
    allowEssential: flagOption(options, 'allowEssential'),
    reason: `remove ${names.join(' ')}`,
  });
}
