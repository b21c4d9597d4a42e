import { ERROR_CODES, MossError } from '../../core/error.ts';
import type { System } from '../system/system.ts';
import { requireRepository } from './catalog.ts';
import { changeAndReport } from './change.ts';
import type { Context } from './context.ts';
import { installedRows, notInstalled } from './installed.ts';
import { flagOption, listOption } from './options.ts';

export async function run(context: Context, names: string[], options: Record<string, unknown>): Promise<void> {
  await requireRepository(context);
  const rows = await installedRows(context);
  for (const name of names) if (!rows.some((row) => row.name === name)) throw await notInstalled(name, rows);
  await changeAndReport(
    context,
    'sync',
    {
      upgrade: names.length === 0 ? 'all' : names,
      // Libraries that were replaced under another name go with the upgrade that replaced them.
      removeOrphans: names.length === 0 && !flagOption(options, 'keepOrphans'),
      reason: ['sync', ...names].join(' '),
      with: listOption(options, 'with') ?? [],
      without: listOption(options, 'without') ?? [],
    },
    async (system) => {
      if (options['update'] !== false) await updateAll(system, context);
    },
  );
}

/** Asks all repositories for news. One that cannot be reached is passed over as long as another one can. */
async function updateAll(system: System, { output, signal }: Context): Promise<void> {
  const failures: MossError[] = [];
  const repositories = system.repositories.list();
  for (const { name } of repositories) {
    try {
      await system.repositories.update(name, { signal });
    } catch (error) {
      // What was signed wrongly is never passed over; what did not come is.
      if (!(error instanceof MossError) || ![69, 75].includes(ERROR_CODES[error.code].exit)) throw error;
      failures.push(error);
      if (failures.length === repositories.length) throw failures[0] ?? error;
      output.warn(`${name} was not asked: ${error.message}`, 'What it said last is used.');
    }
  }
}
