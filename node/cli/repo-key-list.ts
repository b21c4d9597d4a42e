import { relative, resolve } from 'node:path';
import { listRepositoryKeys } from '../trust/repository-status.ts';
import { table } from '../ui/format.ts';
import type { Context } from './context.ts';

export async function run({ output }: Context, [directory = '.']: string[]): Promise<void> {
  const path = resolve(directory);
  const keys = await listRepositoryKeys(path);
  const { bold, dim, yellow } = output.style;
  output.result(
    'repo-key-list',
    { keys: keys.map(({ keyId, roles, file }) => ({ keyId, roles, file: file?.file ?? null, encrypted: file?.encrypted ?? null, exposed: file?.exposed ?? null })) },
    () =>
      table(
        keys.map(({ keyId, roles, file }) => [
          bold(keyId.slice(0, 8)),
          roles.length === 0 ? dim('no role') : roles.join(', '),
          file === undefined ? dim('elsewhere') : relative(path, file.file),
          file === undefined ? '' : file.exposed ? yellow('can be read by others') : file.encrypted ? 'encrypted' : dim('not encrypted'),
        ]),
      ),
  );
}
