import { MossError } from '../../core/error.ts';
import { setThreshold } from '../trust/root-keys.ts';
import type { Context } from './context.ts';
import { changeRootAndReport, parseRole } from './root-change.ts';

export async function run(context: Context, [directory = '.', roleText = '', text = '']: string[], options: Record<string, unknown>): Promise<void> {
  const role = parseRole(roleText);
  const threshold = Number(text);
  if (!/^\d{1,4}$/.test(text) || threshold < 1) throw new MossError('usage', `${JSON.stringify(text)} is no number of keys`);
  await changeRootAndReport(context, {
    schema: 'repo-key-threshold', directory, options,
    intent: `have ${threshold} keys of ${role} sign`,
    change: (path, publishing) => setThreshold(path, { ...publishing, role, threshold }),
  });
}
