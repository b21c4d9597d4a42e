import { changeSetting } from '../config/settings.ts';
import { currentSettings, formatSetting, requireSetting, settingsFile } from './config-scope.ts';
import type { Context } from './context.ts';

export async function run(context: Context, [name = '']: string[], options: Record<string, unknown>): Promise<void> {
  requireSetting(name);
  const { dryRun } = context;
  const file = dryRun ? undefined : settingsFile(context, options);
  if (file !== undefined) await changeSetting(file, name, undefined);
  const left = (await currentSettings(context)).find((setting) => setting.name === name);
  if (left === undefined) return;
  const { value, origin } = left;
  context.output.result('config-unset', { name, value, origin, file: file ?? null, ...(dryRun && { dryRun }) }, () => [
    dryRun ? `Would take ${name} back.` : `${name} is ${formatSetting(value) || 'empty'} (${origin}).`,
  ]);
}
