import { loadSettings, userSettingsFile } from '../config/settings.ts';
import { statesToPrune } from '../system/states.ts';
import { MossError } from '../../core/error.ts';
import type { Context } from './context.ts';
import { numberOption } from './options.ts';
import { removeAndReport } from './remove-states.ts';

/** As many as users of the existing `moss` are used to. */
const KEEP = 10;

export async function run(context: Context, _: string[], options: Record<string, unknown>): Promise<void> {
  const settings = await loadSettings([userSettingsFile(context.environment), context.layout.settings]);
  const keep = numberOption(options, 'keep') ?? (settings['keep-states'] || KEEP);
  if (keep < 1) throw new MossError('usage', '--keep takes at least 1: the active state always stays');
  await removeAndReport(context, 'state-prune', () => statesToPrune(context.layout, keep));
}
