import { MossError } from '../../core/error.ts';
import { activeState } from '../system/installed.ts';
import type { Context } from './context.ts';
import { flagOption } from './options.ts';
import { verifyAndReport } from './verify-state.ts';

export async function run(context: Context, packages: string[], options: Record<string, unknown>): Promise<number> {
  const state = activeState(context.layout);
  if (state === undefined) throw new MossError('not-found', 'nothing is installed yet', { hint: 'Install something: `moss install PACKAGE`.' });
  for (const name of packages) {
    if (!state.packages.some((each) => each.name === name)) throw new MossError('not-found', `${name} is not installed`, { hint: 'See `moss list`.', data: { package: name } });
  }
  return verifyAndReport(context, 'verify', {
    number: state.number,
    packages,
    repair: flagOption(options, 'repair'),
    quick: flagOption(options, 'quick'),
  });
}
