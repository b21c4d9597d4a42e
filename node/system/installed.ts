/** What is installed, without loading what installs: `moss list` must be quick. */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import type { State } from '../../core/install/state.ts';
import { MossError } from '../../core/error.ts';
import { hasErrno } from '../io-error.ts';
import type { Layout } from '../store/layout.ts';
import { Database } from './database.ts';
import { factsOf } from './package-facts.ts';
import type { PackageStore } from './package-store.ts';
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

/** @throws MossError `damaged` when its record cannot be read, or the link to it was lost: what is installed is not nothing then */
export function activeState(layout: Layout): State | undefined {
  const number = activeNumber(layout);
  if (number !== undefined) return readStateFile(layout.state(number));
  checkNoneYet(layout);
  return undefined;
}

/**
 * Where no state is active: sees to it that there is none. A first installation that is under way, or was killed, has made
 * one already.
 *
 * @throws MossError `damaged`
 */
export function checkNoneYet(layout: Layout): void {
  const last = existsSync(layout.configuring) ? undefined : stateNumbers(layout).at(-1);
  if (last !== undefined) throw new MossError('damaged', 'no state is active, although there are some', { hint: `Activate one: \`moss state activate ${last}\`.` });
}

/** Numbers of all states, in order. */
export function stateNumbers(layout: Layout): number[] {
  if (!existsSync(layout.states)) return [];
  return readdirSync(layout.states).filter((name) => /^\d+$/.test(name)).map(Number).toSorted((a, b) => a - b);
}

/**
 * Told of a state that cannot be entered into the database, since its records are damaged; the others are. Rethrow where
 * that cannot be gone on without.
 */
export type OnDamagedState = (number: number, error: MossError) => void;

/** The database of a root, made anew from the states where it is missing or damaged. */
export async function openDatabase(layout: Layout, onDamaged?: OnDamagedState): Promise<Database> {
  return Database.open(layout.database, async (database) => {
    const { PackageStore } = await import('./package-store.ts');
    const active = activeNumber(layout);
    await enterStates(database, new PackageStore(layout), layout, stateNumbers(layout), onDamaged ?? ((number, error) => {
      // Of another state nobody asked.
      if (number === active) throw error;
    }));
  });
}

/** Brings the database in line with the states on disk, which a crash may have parted. */
export async function reconcileDatabase(layout: Layout, packages: PackageStore, onDamaged: OnDamagedState): Promise<void> {
  const database = await openDatabase(layout, onDamaged);
  try {
    const [entered, there] = [new Set(database.states()), new Set(stateNumbers(layout))];
    // The tree of the active state goes by accident alone: what the database knows of it is needed to make it again.
    const active = activeNumber(layout);
    for (const number of entered) if (!there.has(number) && number !== active) database.removeState(number);
    await enterStates(database, packages, layout, [...there].filter((number) => !entered.has(number)), onDamaged);
  } finally {
    database.close();
  }
}

async function enterStates(database: Database, packages: PackageStore, layout: Layout, numbers: Iterable<number>, onDamaged: OnDamagedState): Promise<void> {
  for (const number of numbers) {
    try {
      const state = readStateFile(layout.state(number));
      const facts = await factsOf(packages, state.packages);
      database.addPackages(facts);
      database.addState(state, facts);
    } catch (error) {
      if (!(error instanceof MossError) || error.code !== 'damaged') throw error;
      onDamaged(number, error);
    }
  }
}
