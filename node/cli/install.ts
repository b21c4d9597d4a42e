import { parseDependency } from '../../core/repo/dependency.ts';
import type { Requirement } from '../../core/repo/resolver.ts';
import { MossError } from '../../core/error.ts';
import { requireRepository } from './catalog.ts';
import { changeAndReport } from './change.ts';
import type { Context } from './context.ts';
import { flagOption, listOption } from './options.ts';

export async function run(context: Context, names: string[], options: Record<string, unknown>): Promise<void> {
  const install = names.map(parseWanted);
  await requireRepository(context);
  await changeAndReport(context, 'install', {
    install,
    removeOrphans: false,
    reason: `install ${names.join(' ')}`,
    with: listOption(options, 'with') ?? [],
    without: listOption(options, 'without') ?? [],
    ...(flagOption(options, 'recommends') && { recommends: true }),
  });
}

/** `name`, `name=version`, or a relation in quotes: `name (>= version)`. */
export function parseWanted(text: string): Requirement {
  const [, name, version] = /^([^\s=<>()]+)=(\S+)$/.exec(text) ?? [];
  const [wanted, ...others] = parseDependency(name === undefined ? text : `${name} (= ${version})`);
  if (wanted === undefined || others.length > 0) throw new MossError('usage', `${JSON.stringify(text)} is no package`, { hint: 'Give a name, or name=version.' });
  return wanted;
}
