import { existsSync } from 'node:fs';
import { changeSetting, loadSettings, userSettingsFile } from '../config/settings.ts';
import { DaemonControl } from '../peer/control-client.ts';
import type { Context } from './context.ts';
import { shareAndReport } from './share-status.ts';

export async function run(context: Context): Promise<void> {
  const { layout, environment, dryRun } = context;
  if (!dryRun && existsSync(layout.moss)) {
    // The daemon first: nothing goes out any more, whatever becomes of the file.
    await (await DaemonControl.find(layout))?.stop();
    await changeSetting(layout.settings, 'share', 'off');
  }
  await shareAndReport(context, 'share-off', { ...(await loadSettings([userSettingsFile(environment), layout.settings])), share: 'off' }, undefined);
}
