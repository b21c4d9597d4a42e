/** Names for the completion of a shell: quick, and silent where there are none. Nothing here decides anything. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '../store/layout.ts';
import { stateNumbers } from '../system/installed.ts';
import type { Context } from './context.ts';
import { installedRows } from './installed.ts';
import type { Completes } from './verb.ts';

type Named = Exclude<Completes, 'files' | 'directories'>;

export async function run(context: Context, [what = '']: string[]): Promise<void> {
  const lists: Record<Named, () => Promise<string[]> | string[]> = {
    installed: async () => (await installedRows(context)).map(({ name }) => name),
    available: () => availableNames(context.layout),
    repositories: () => repositoryNames(context.layout),
    states: () => stateNumbers(context.layout).map(String),
    settings: async () => Object.keys((await import('../config/settings.ts')).DEFINITIONS),
    shells: () => ['bash', 'zsh', 'fish'],
    roles: () => ['root', 'targets', 'snapshot', 'timestamp'],
  };
  const names = Object.hasOwn(lists, what) ? await lists[what as Named]() : [];
  context.output.result('complete', { what, names }, () => names);
}

function repositoryNames({ repositories }: Layout): string[] {
  return existsSync(repositories) ? readdirSync(repositories).filter((name) => !name.startsWith('.')) : [];
}

/** Straight from the lines of the indexes: the signatures do not matter for what is typed. */
function availableNames(layout: Layout): string[] {
  const names = new Set<string>();
  for (const repository of repositoryNames(layout)) {
    const path = join(layout.repositories, repository, 'index');
    if (!existsSync(path)) continue;
    for (const [, name] of readFileSync(path, 'utf8').matchAll(/^\{"name":"([^"\\]+)"/gm)) if (name !== undefined) names.add(name);
  }
  return [...names];
}
