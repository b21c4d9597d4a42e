/** What is installed, without loading what installs: `moss list` must be quick. */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import type { State } from '../../core/install/state.ts';
import { MossError } from '../../core/error.ts';
import { hasErrno } from '../io-error.ts';
import type { Layout } from '../store/layout.ts';
import { Database } from './database.ts';
import { readStateFile } from './state-file.ts';

/** The number of the active state; `undefined` where nothing was installed yet. */
export function activeNumber(layout: Layout): number | undefined {
  try {
    const number = Number(basename(readlinkSync(layout.current)));
    return Number.isSafeInteger(number) && number > 0 ? number : undefined;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

export function activeState(layout: Layout): State | undefined {
  const number = activeNumber(layout);
  return number === undefined ? undefined : readStateFile(layout.state(number));
}

/** Numbers of all states, in order. */
export function stateNumbers(layout: Layout): number[] {
  if (!existsSync(layout.states)) return [];
  return readdirSync(layout.states).filter((name) => /^\d+$/.test(name)).map(Number).toSorted((a, b) => a - b);
}

/** The database of a root, made anew from the states where it is missing or damaged. */
export async function openDatabase(layout: Layout): Promise<Database> {
  return Database.open(layout.database, async (database) => {
    const { PackageStore } = await import('./package-store.ts');
    const packages = new PackageStore(layout);
    for (const number of stateNumbers(layout)) {
      const state = readStateFile(layout.state(number));
      const facts = await packages.facts(state.packages);
      database.addState(state, (manifest) => {
        const found = facts.get(manifest);
        if (found === undefined) throw new MossError('bug', `no facts about ${manifest}`);
        return found;
      });
    }
  });
}
