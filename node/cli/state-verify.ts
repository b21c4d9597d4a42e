import { MossError } from '../../core/error.ts';
import { activeNumber } from '../system/installed.ts';
import { requireStateNumber } from '../system/states.ts';
import type { Context } from './context.ts';
import { flagOption } from './options.ts';
import { parseStateNumber } from './state-number.ts';
import { verifyAndReport } from './verify-state.ts';

export async function run(context: Context, [text]: string[], options: Record<string, unknown>): Promise<number> {
  const active = activeNumber(context.layout);
  const number = text === undefined ? active : parseStateNumber(text);
  if (number === undefined) throw new MossError('not-found', 'nothing is installed yet', { hint: 'Install something: `moss install PACKAGE`.' });
  // The tree of the active one may be gone altogether.
  if (number !== active) requireStateNumber(context.layout, number);
  return verifyAndReport(context, 'state-verify', { number, packages: [], repair: flagOption(options, 'repair'), quick: flagOption(options, 'quick'), restores: false });
}
