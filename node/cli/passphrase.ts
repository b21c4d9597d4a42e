import { readFileSync } from 'node:fs';
import { textOption } from './options.ts';

/** The passphrase of private keys: from `--passphrase-file`, or `MOSS_PASSPHRASE`. Never on the command line itself. */
export function readPassphrase(options: Record<string, unknown>, environment: Record<string, string | undefined>): string | undefined {
  const file = textOption(options, 'passphraseFile');
  const text = file === undefined ? environment['MOSS_PASSPHRASE'] : readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  return text === '' ? undefined : text;
}
