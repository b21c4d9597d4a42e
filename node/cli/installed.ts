/** What the verbs ask of the installed state, without loading what installs. */
import { MossError } from '../../core/error.ts';
import type { Database, InstalledRow } from '../system/database.ts';
import { activeNumber, checkNoneYet, openDatabase } from '../system/installed.ts';
import type { Context } from './context.ts';

/** Asks the database about the active state; `undefined` where nothing was installed yet. */
export async function askInstalled<T>({ layout }: Context, ask: (database: Database, state: number) => T): Promise<T | undefined> {
  const state = activeNumber(layout);
  if (state === undefined) {
    checkNoneYet(layout);
    return undefined;
  }
  const database = await openDatabase(layout);
  try {
    return ask(database, state);
  } finally {
    database.close();
  }
}

export async function installedRows(context: Context): Promise<InstalledRow[]> {
  return (await askInstalled(context, (database, state) => database.installed(state))) ?? [];
}

/** That a package is not installed, and which names may be meant. */
export async function notInstalled(name: string, rows: readonly InstalledRow[]): Promise<MossError> {
  const { similarNames } = await import('../../core/repo/resolver/suggest.ts');
  const similar = similarNames(name, rows.map((row) => row.name));
  const hint = similar.length > 0 ? `Did you mean ${similar.join(', ')}?` : 'See `moss list`.';
  return new MossError('not-found', `${name} is not installed`, { hint, data: { package: name } });
}
