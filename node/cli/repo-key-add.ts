import { addKey } from '../trust/root-keys.ts';
import type { Context } from './context.ts';
import { textOption } from './options.ts';
import { readPublicKey } from './public-key.ts';
import { changeRootAndReport, parseRole } from './root-change.ts';

export async function run(context: Context, [directory = '.', roleText = '']: string[], options: Record<string, unknown>): Promise<void> {
  const role = parseRole(roleText);
  const given = textOption(options, 'public');
  const key = given === undefined ? undefined : readPublicKey(given);
  await changeRootAndReport(context, {
    schema: 'repo-key-add', directory, options,
    intent: `give ${role} one more key`,
    change: (path, publishing) => addKey(path, { ...publishing, role, key }),
  });
}
