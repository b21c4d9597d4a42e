import { changeSetting, DEFINITIONS } from '../config/settings.ts';
import { MossError } from '../../core/error.ts';
import { formatSetting, requireSetting, settingsFile } from './config-scope.ts';
import type { Context } from './context.ts';

export async function run(context: Context, [name = '', text = '']: string[], options: Record<string, unknown>): Promise<void> {
  const wanted = requireSetting(name);
  const value = DEFINITIONS[wanted].read(text);
  if (value === undefined) throw new MossError('usage', `${name} must be ${DEFINITIONS[wanted].expected}`, { hint: DEFINITIONS[wanted].meaning });
  const { dryRun } = context;
  const file = dryRun ? undefined : settingsFile(context, options);
  if (file !== undefined) await changeSetting(file, name, text);
  context.output.result('config-set', { name, value, file: file ?? null, ...(dryRun && { dryRun }) }, () => [
    dryRun ? `Would set ${name} to ${formatSetting(value)}.` : `${name} is ${formatSetting(value) || 'empty'} in ${file}.`,
  ]);
}
