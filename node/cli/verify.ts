import { MossError } from '../../core/error.ts';
import { Database } from '../system/database.ts';
import { activeNumber, checkNoneYet, stateNumbers } from '../system/installed.ts';
import type { Context } from './context.ts';
import { flagOption } from './options.ts';
import { verifyAndReport } from './verify-state.ts';

export async function run(context: Context, packages: string[], options: Record<string, unknown>): Promise<number> {
  const number = activeNumber(context.layout);
  const numbers = stateNumbers(context.layout);
  const isKnown = number !== undefined && (numbers.includes(number) || Database.recordOf(context.layout.database, number) !== undefined);
  if (!isKnown) {
    checkNoneYet(context.layout);
    throw new MossError('not-found', 'nothing is installed yet', { hint: 'Install something: `moss install PACKAGE`.' });
  }
  return verifyAndReport(context, 'verify', { number, packages, repair: flagOption(options, 'repair'), quick: flagOption(options, 'quick'), restores: flagOption(options, 'restoreConfig') });
}
