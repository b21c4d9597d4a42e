import { CACHE_PARTS, findPrunable, prune, total } from '../system/cache.ts';
import { System } from '../system/system.ts';
import { count, formatBytes } from '../ui/format.ts';
import type { Context } from './context.ts';

export async function run(context: Context): Promise<void> {
  const { output, layout, signal, dryRun } = context;
  const system = await System.openToWrite({ root: context.root, onEvent: output.onEvent, signal, environment: context.environment });
  try {
    const unneeded = await findPrunable({ layout, packages: system.packages, parts: CACHE_PARTS, signal });
    const { files, bytes } = total(unneeded.sizes);
    const document = { ...unneeded.sizes, total: { files, bytes } };
    const words = `${formatBytes(bytes)} in ${count(files, 'file')} that no state needs`;
    if (unneeded.paths.length === 0 || dryRun) {
      output.result('cache-prune', { ...document, ...(dryRun && { dryRun }) }, () => [unneeded.paths.length === 0 ? 'Nothing to remove: states need all of it.' : `Would free ${words}.`]);
      return;
    }
    output.tell(`Frees ${words}.`);
    await context.confirm('Go on?');
    prune(layout, unneeded);
    output.result('cache-prune', document, () => [`Freed ${formatBytes(bytes)}.`]);
  } finally {
    await system.close();
  }
}
