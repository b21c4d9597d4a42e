import { CACHE_PARTS, pruneCache, total } from '../system/cache.ts';
import { System } from '../system/system.ts';
import { count, formatBytes } from '../ui/format.ts';
import type { Context } from './context.ts';

export async function run(context: Context): Promise<void> {
  const { output, layout, signal, dryRun } = context;
  const system = await System.openToWrite({ root: context.root, onEvent: output.onEvent, signal, environment: context.environment });
  try {
    const prune = (dry: boolean) => pruneCache({ layout, packages: system.packages, parts: CACHE_PARTS, dryRun: dry, signal });
    const expected = await prune(true);
    const { files, bytes } = total(expected);
    const words = `${formatBytes(bytes)} in ${count(files, 'file')} that no state needs`;
    if (files === 0 || dryRun) {
      output.result('cache-prune', { ...expected, total: { files, bytes }, ...(dryRun && { dryRun }) }, () => [files === 0 ? 'Nothing to remove: states need all of it.' : `Would free ${words}.`]);
      return;
    }
    output.tell(`Frees ${words}.`);
    await context.confirm('Go on?');
    const freed = await prune(false);
    output.result('cache-prune', { ...freed, total: total(freed) }, () => [`Freed ${formatBytes(total(freed).bytes)}.`]);
  } finally {
    await system.close();
  }
}
