import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseRoot } from '../../core/trust/metadata.ts';
import { exportRoot } from '../trust/root-keys.ts';
import type { Context } from './context.ts';
import { withRepository } from './with-repository.ts';

export async function run(context: Context, [directory = '.', file = '']: string[], options: Record<string, unknown>): Promise<void> {
  const { output, dryRun } = context;
  if (dryRun) {
    output.result('repo-key-export', { file: resolve(file), version: null, dryRun }, () => [`Would write the root to be signed to ${file}.`]);
    return;
  }
  const draft = await withRepository(context, directory, options, exportRoot);
  const { version } = parseRoot(draft).signed;
  writeFileSync(file, draft);
  output.result('repo-key-export', { file: resolve(file), version }, () => [
    `Wrote version ${version} of the root to ${file}. Where a key is: moss repo key sign ${file} KEYS-DIRECTORY`,
  ]);
}
