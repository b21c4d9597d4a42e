import { table } from '../ui/format.ts';
import { currentSettings, formatSetting } from './config-scope.ts';
import type { Context } from './context.ts';

export async function run(context: Context): Promise<void> {
  const settings = await currentSettings(context);
  const { bold, dim } = context.output.style;
  context.output.result('config-list', { settings }, () =>
    table(settings.map(({ name, value, origin, meaning }) => [bold(name), formatSetting(value) || '(empty)', dim(origin), dim(meaning)])),
  );
}
