import { revokeKey } from '../trust/root-keys.ts';
import type { Context } from './context.ts';
import { changeRootAndReport, parseRole } from './root-change.ts';

export async function run(context: Context, [directory = '.', roleText = '', keyId = '']: string[], options: Record<string, unknown>): Promise<void> {
  const role = parseRole(roleText);
  await changeRootAndReport(context, {
    schema: 'repo-key-revoke', directory, options,
    intent: `take the key ${keyId} from ${role}`,
    change: (path, publishing) => revokeKey(path, { ...publishing, role, keyId }),
  });
}
