import { resolve } from 'node:path';
import { formatFingerprint } from '../../core/trust/fingerprint.ts';
import { publisherClock } from '../clock.ts';
import { repositoryStatus, type RepositoryStatus } from '../trust/repository-status.ts';
import { formatTime, table } from '../ui/format.ts';
import type { Styles } from '../ui/style.ts';
import type { Context } from './context.ts';

export async function run({ output, environment }: Context, [directory = '.']: string[]): Promise<void> {
  const path = resolve(directory);
  const status = await repositoryStatus(path, { clock: publisherClock(environment) });
  output.result('repo-status', statusValue(path, status), () => statusLines(path, status, output.style));
}

export function statusValue(path: string, { name, fingerprint, expires, roles, warnings }: RepositoryStatus): Record<string, unknown> {
  return {
    directory: path,
    name: name ?? null,
    fingerprint,
    expires,
    roles: roles.map((each) => ({ role: each.role, version: each.version ?? null, expires: each.expires ?? null, threshold: each.threshold, keys: each.keyIds })),
    warnings,
  };
}

export function statusLines(path: string, { name, fingerprint, roles, warnings }: RepositoryStatus, { bold, dim, yellow }: Styles): string[] {
  return [
    `${bold(name ?? 'without a name')}  ${path}`,
    `fingerprint  ${formatFingerprint(fingerprint)}`,
    '',
    ...table(
      roles.map(({ role, version, expires, threshold, keyIds }) => [
        role,
        version === undefined ? dim('not published yet') : `version ${version}`,
        expires === undefined ? '' : `good until ${formatTime(expires)}`,
        dim(`${threshold} of ${keyIds.length} ${keyIds.length === 1 ? 'key' : 'keys'}: ${keyIds.map((id) => id.slice(0, 8)).join(', ')}`),
      ]),
    ),
    ...warnings.map(({ message }) => yellow(message)),
  ];
}
