import { MossError } from '../../core/error.ts';
import { changeSetting, loadSettings, userSettingsFile } from '../config/settings.ts';
import { mkdirSync } from 'node:fs';
import { DaemonControl } from '../peer/control-client.ts';
import type { Context } from './context.ts';
import { textOption } from './options.ts';
import { shareAndReport } from './share-status.ts';

const TOLD: Record<'lan' | 'swarm', string> = {
  lan: 'Machines on this network, and on each one that you join later, will see that this one has moss, and can find out which packages it has by asking for their files. Do this where you trust them, and run `moss share off` before you join another one.',
  swarm: 'Anybody will be able to see the address of this machine and which repositories it uses, and peers that it asks learn what it asks for. What is installed is served on the local network alone, unless you set swarm-serves.',
};

export async function run(context: Context, _: string[], options: Record<string, unknown>): Promise<void> {
  const { layout, environment, output, dryRun } = context;
  const scope = textOption(options, 'scope') ?? 'lan';
  if (scope !== 'lan' && scope !== 'swarm') throw new MossError('usage', `there is no scope ${scope}`, { hint: 'The scopes are lan and swarm.' });
  const files = [userSettingsFile(environment), layout.settings];
  const daemon = await DaemonControl.find(layout);
  if (!dryRun) {
    output.tell(TOLD[scope]);
    await context.confirm('Share?');
    mkdirSync(layout.moss, { recursive: true });
    await changeSetting(layout.settings, 'share', scope);
    await daemon?.reload();
  }
  await shareAndReport(context, 'share-on', { ...(await loadSettings(files)), share: scope }, dryRun ? undefined : await waitFor(context, daemon));
}

/** A daemon that starts anew answers when it is ready. */
async function waitFor({ layout }: Context, daemon: DaemonControl | undefined): Promise<DaemonControl | undefined> {
  if (daemon === undefined) return undefined;
  for (let tries = 0; tries < 100; tries++) {
    const found = await DaemonControl.find(layout);
    if (found !== undefined) return found;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  return undefined;
}
