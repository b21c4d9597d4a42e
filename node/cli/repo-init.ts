import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { MossError } from '../../core/error.ts';
import { formatFingerprint } from '../../core/trust/fingerprint.ts';
import { publisherClock } from '../clock.ts';
import { createRepository } from '../trust/repository.ts';
import { writeSiteHints } from '../publish/site-hints.ts';
import type { Context } from './context.ts';
import { numberOption, textOption } from './options.ts';
import { readPassphrase } from './passphrase.ts';

export async function run(context: Context, [directory = '.']: string[], options: Record<string, unknown>): Promise<void> {
  const path = resolve(directory);
  const name = textOption(options, 'name');
  if (name === undefined || !/^[\w .-]{1,64}$/.test(name)) throw new MossError('usage', 'a repository needs a name', { hint: 'Give it with --name NAME.' });
  const passphrase = readPassphrase(options, context.environment);
  if (context.dryRun) {
    context.output.result('repo-init', { directory: path, name, fingerprint: null, dryRun: true }, () => [`Would make the repository ${name} in ${path}.`]);
    return;
  }
  mkdirSync(path, { recursive: true });
  const created = await createRepository(path, {
    name,
    passphrase,
    clock: publisherClock(context.environment),
    rootKeys: numberOption(options, 'rootKeys'),
    threshold: numberOption(options, 'threshold'),
  });
  writeSiteHints(path, name);
  context.output.result('repo-init', { directory: path, name, fingerprint: created.fingerprint }, () => [
    `Made the repository ${name} in ${path}.`,
    '',
    `  fingerprint  ${formatFingerprint(created.fingerprint)}`,
    '',
    `Tell the fingerprint to whoever adds the repository. The private keys are in ${path}/keys: keep a copy elsewhere.`,
    `Next: moss publish ${directory} FILE...`,
  ]);
}
