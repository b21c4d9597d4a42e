import { rotateKey } from '../trust/root-keys.ts';
import type { Context } from './context.ts';
import { changeRootAndReport, parseRole } from './root-change.ts';

export async function run(context: Context, [directory = '.', roleText = '', keyId]: string[], options: Record<string, unknown>): Promise<void> {
  const role = parseRole(roleText);
  await changeRootAndReport(context, {
    schema: 'repo-key-rotate', directory, options,
    intent: `replace ${keyId ?? 'the'} key of ${role}`,
    change: (path, publishing) => rotateKey(path, { ...publishing, role, keyId }),
  });
}
