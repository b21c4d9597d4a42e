import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseRoot } from '../../core/trust/metadata.ts';
import { signRootFile } from '../trust/root-keys.ts';
import type { Context } from './context.ts';
import { readPassphrase } from './passphrase.ts';

export async function run({ output, environment, dryRun }: Context, [file = '', keys = '']: string[], options: Record<string, unknown>): Promise<void> {
  const draft = readFileSync(file);
  const before = parseRoot(draft).signatures.length;
  const signed = await signRootFile(draft, { directory: keys, passphrase: readPassphrase(options, environment) });
  const { signatures, signed: root } = parseRoot(signed);
  if (!dryRun) writeFileSync(file, signed);
  output.result('repo-key-sign', { file: resolve(file), version: root.version, signatures: signatures.length, added: signatures.length - before, ...(dryRun && { dryRun }) }, () => [
    dryRun
      ? `Would sign version ${root.version} of the root in ${file}.`
      : `${file} has ${signatures.length} ${signatures.length === 1 ? 'signature' : 'signatures'} now. Bring it back: moss repo key import DIRECTORY ${file}`,
  ]);
}
