import { currentSettings, formatSetting, requireSetting } from './config-scope.ts';
import type { Context } from './context.ts';

export async function run(context: Context, [name = '']: string[]): Promise<void> {
  const wanted = requireSetting(name);
  for (const setting of await currentSettings(context)) {
    if (setting.name !== wanted) continue;
    const { value, origin } = setting;
    context.output.result('config-get', { name, value, origin }, () => [formatSetting(value)]);
  }
}
