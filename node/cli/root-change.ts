/** Changes to the keys of a repository, and what they lead to: a new root, or a draft of one that waits for signatures. */
import { TOP_ROLES, type TopRole } from '../../core/trust/metadata.ts';
import { MossError } from '../../core/error.ts';
import type { PublishOptions } from '../trust/repository.ts';
import type { RootResult } from '../trust/root-keys.ts';
import type { Context } from './context.ts';
import { withRepository } from './with-repository.ts';

/** @throws MossError `usage` */
export function parseRole(text: string): TopRole {
  const role = TOP_ROLES.find((each) => each === text);
  if (role === undefined) throw new MossError('usage', `there is no role ${text}`, { hint: `The roles are ${TOP_ROLES.join(', ')}.` });
  return role;
}

export interface RootRequest {
  schema: string;
  directory: string;
  options: Record<string, unknown>;
  /** What it does, for `--dry-run`: `give timestamp a new key`. */
  intent: string;
  change: (path: string, publishing: PublishOptions) => Promise<RootResult>;
}

export async function changeRootAndReport(context: Context, { schema, directory, options, intent, change }: RootRequest): Promise<void> {
  const { output, dryRun } = context;
  if (dryRun) {
    output.result(schema, { published: false, version: null, draft: null, missing: 0, dryRun }, () => [`Would ${intent}.`]);
    return;
  }
  const result = await withRepository(context, directory, options, change);
  if (result.state === 'published') {
    output.result(schema, { published: true, version: result.version, draft: null, missing: 0 }, () => [`Published version ${result.version} of the root.`]);
    return;
  }
  const { old, next } = result.progress;
  const missing = Math.max(...[old, next].map(({ threshold, signed }) => threshold - signed.length));
  const keys = [...new Set([...old.missing, ...next.missing])].map((id) => id.slice(0, 8));
  output.result(schema, { published: false, version: null, draft: result.file, missing }, () => [
    `The new root waits in ${result.file} for ${missing === 1 ? 'one more signature' : `${missing} more signatures`} by ${keys.join(', ')}; until then the old one counts.`,
    `  moss repo key export ${directory} root.json     then, where a key is:`,
    '  moss repo key sign root.json KEYS-DIRECTORY     and back here:',
    `  moss repo key import ${directory} root.json`,
  ]);
}
