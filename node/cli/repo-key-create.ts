import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { MossError } from '../../core/error.ts';
import { createKey } from '../trust/keys.ts';
import type { Context } from './context.ts';
import { textOption } from './options.ts';
import { readPassphrase } from './passphrase.ts';

export async function run({ output, environment, dryRun }: Context, [directory = '.']: string[], options: Record<string, unknown>): Promise<void> {
  const name = textOption(options, 'name') ?? 'root';
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name)) throw new MossError('usage', `${JSON.stringify(name)} is no name for a key file`, { hint: 'Use small letters, digits and dashes.' });
  const path = resolve(directory);
  const passphrase = readPassphrase(options, environment);
  if (dryRun) {
    output.result('repo-key-create', { file: null, keyId: null, public: null, encrypted: passphrase !== undefined, dryRun }, () => [`Would make a key in ${path}.`]);
    return;
  }
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const made = await createKey({ directory: path, name, passphrase });
  output.result('repo-key-create', { file: made.file, keyId: made.keyId, public: made.key.public, encrypted: made.encrypted }, () => [
    `Made ${made.file}${made.encrypted ? '' : ', without a passphrase'}.`,
    `  public key  ${made.key.public}`,
    `Give it a role where the repository is: moss repo key add DIRECTORY root --public ${made.key.public}`,
  ]);
}
