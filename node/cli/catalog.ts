/** What the repositories of a root offer, without loading what installs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PackageIndex } from '../../core/repo/index-file.ts';
import { MossError } from '../../core/error.ts';
import { loadSettings, userSettingsFile } from '../config/settings.ts';
import { Lock } from '../store/lock.ts';
import { Repositories } from '../system/repositories.ts';
import type { Context } from './context.ts';

export async function openRepositories({ layout, environment, output }: Context): Promise<Repositories> {
  const settings = await loadSettings([userSettingsFile(environment), layout.settings]);
  return new Repositories({ layout, settings, onEvent: output.onEvent });
}

/**
 * All packages of all repositories, as their last update left them.
 *
 * @throws MossError `not-found` where there is no repository, and the errors of trust
 */
export async function openCatalog(context: Context): Promise<PackageIndex> {
  const { layout, output, signal } = context;
  const repositories = await openRepositories(context);
  const names = repositories.list().map(({ name }) => name);
  if (names.length === 0) throw noRepository();
  // Repositories that were never updated are updated now, which is writing.
  const isComplete = names.every((name) => existsSync(join(layout.repositories, name, 'root')));
  const lock = isComplete ? undefined : await Lock.take(layout.lock, { onWait: () => output.note('Waiting for another moss that changes this root ...'), signal });
  try {
    return new PackageIndex(await repositories.indexes({ signal }));
  } finally {
    lock?.release();
  }
}

/** @throws MossError `not-found`, before anything is made */
export async function requireRepository(context: Context): Promise<void> {
  if ((await openRepositories(context)).list().length === 0) throw noRepository();
}

export function noRepository(): MossError {
  return new MossError('not-found', 'there is no repository yet', { hint: 'Add one with `moss repo add NAME URL`.' });
}
