import { System } from '../system/system.ts';
import type { UpdatedRepository } from '../system/repositories.ts';
import { count, formatBytes } from '../ui/format.ts';
import { MossError } from '../../core/error.ts';
import type { Context } from './context.ts';

export async function run(context: Context, names: string[]): Promise<void> {
  const { output, signal } = context;
  const system = await System.openToWrite({ root: context.root, onEvent: output.onEvent, signal, environment: context.environment });
  try {
    const wanted = names.length > 0 ? names : system.repositories.list().map(({ name }) => name);
    if (wanted.length === 0) throw new MossError('not-found', 'there is no repository yet', { hint: 'Add one with `moss repo add NAME URL`.' });
    if (context.dryRun) {
      for (const name of wanted) system.repositories.get(name);
      output.result('repo-update', { repositories: [], dryRun: true }, () => [`Would ask ${wanted.join(', ')}.`]);
      return;
    }
    const updated: UpdatedRepository[] = [];
    for (const name of wanted) updated.push(await system.repositories.update(name, { signal }));
    output.result('repo-update', { repositories: updated }, () =>
      updated.map(({ name, revision, changed, packages, received, from }) =>
        changed
          ? `${name}: revision ${revision}, ${count(packages, 'package')}; ${formatBytes(received)} fetched${from === null ? '' : `: what changed since revision ${from}`}`
          : `${name}: revision ${revision}, ${count(packages, 'package')} (nothing new)`,
      ),
    );
  } finally {
    await system.close();
  }
}
