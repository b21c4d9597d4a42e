/** What is to be imported: files, directories, and what `stone.index` files list. The largest come first. */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { MossError } from '../../core/error.ts';
import { hasErrno } from '../io-error.ts';

/** @throws MossError `not-found`, `bad-package` */
export async function listInputs(paths: readonly string[]): Promise<string[]> {
  const files: { path: string; size: number }[] = [];
  for (const path of new Set(paths)) {
    if (basename(path) === 'stone.index') files.push(...(await listIndex(path)));
    else files.push({ path, size: sizeOf(path) });
  }
  return files.toSorted((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1)).map(({ path }) => path);
}

async function listIndex(path: string): Promise<{ path: string; size: number }[]> {
  const { readStoneIndex } = await import('../source/stone-index.ts');
  const files: { path: string; size: number }[] = [];
  for (const item of await readStoneIndex(path)) {
    const size = sizeOf(item.path);
    if (size !== item.size || (await sha256Of(item.path)) !== item.sha256) {
      throw new MossError('bad-package', `${item.path} is not the file that ${path} lists`, {
        hint: 'The index and its packages belong to different revisions: fetch both again.',
        data: { path: item.path, index: path },
      });
    }
    files.push({ path: item.path, size });
  }
  return files;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new MossError('not-found', `there is no ${path}`, { hint: 'Give package files or directories.', data: { path } });
  }
}
