import { readFileSync } from 'node:fs';
import { importRoot } from '../trust/root-keys.ts';
import type { Context } from './context.ts';
import { changeRootAndReport } from './root-change.ts';

export async function run(context: Context, [directory = '.', file = '']: string[], options: Record<string, unknown>): Promise<void> {
  const signed = readFileSync(file);
  await changeRootAndReport(context, {
    schema: 'repo-key-import', directory, options,
    intent: `take in the signatures of ${file}`,
    change: (path, publishing) => importRoot(path, signed, publishing),
  });
}
