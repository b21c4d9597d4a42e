import { MossError } from '../../core/error.ts';
import { System } from '../system/system.ts';
import { count } from '../ui/format.ts';
import type { Context } from './context.ts';

export async function run(context: Context, [name = '']: string[]): Promise<void> {
  const { output, signal, dryRun } = context;
  const system = await System.openToWrite({ root: context.root, onEvent: output.onEvent, signal, environment: context.environment });
  try {
    const urls = urlsOf(system, name);
    const left = (system.active?.packages ?? []).filter(({ repository }) => repository === name).map((each) => each.name);
    if (!dryRun) system.repositories.remove(name);
    output.result('repo-remove', { name, urls, packages: left, ...(dryRun && { dryRun }) }, () => [
      dryRun ? `Would remove ${name}.` : `Removed ${name}.`,
      ...(left.length > 0 ? [`${count(left.length, 'package')} from it ${left.length === 1 ? 'stays' : 'stay'} installed, without updates or repair.`] : []),
    ]);
  } finally {
    await system.close();
  }
}

/** One of which the record is damaged can be removed, too. */
function urlsOf({ repositories }: System, name: string): string[] {
  try {
    return repositories.get(name).urls;
  } catch (error) {
    if (error instanceof MossError && error.code === 'damaged') return [];
    throw error;
  }
}
