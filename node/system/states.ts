/** The states of a root: activated and removed, always whole. */
import { existsSync, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { InstalledPackage, State } from '../../core/install/state.ts';
import { MossError } from '../../core/error.ts';
import { linkRoot } from '../link/state-tree.ts';
import { syncPath } from '../store/durable.ts';
import type { Layout } from '../store/layout.ts';
import { activate } from './apply.ts';
import { findPrunable, prune } from './cache.ts';
import { Freed, type Amount } from './freed.ts';
import { clearConfiguring, configureState, noteConfiguring, treeOfState, type Configured } from './configure.ts';
import { activeNumber, openDatabase, stateNumbers } from './installed.ts';
import { pinnedStates } from './pins.ts';
import { readStateFile } from './state-file.ts';
import type { System } from './system.ts';

/** All states, oldest first. */
export function listStates(layout: Layout): State[] {
  return stateNumbers(layout).map((number) => readStateFile(layout.state(number)));
}

/** @throws MossError `not-found` */
export function requireState(layout: Layout, number: number): State {
  requireStateNumber(layout, number);
  return readStateFile(layout.state(number));
}

/** @throws MossError `not-found` */
export function requireStateNumber(layout: Layout, number: number): void {
  const numbers = stateNumbers(layout);
  if (!numbers.includes(number)) {
    throw new MossError('not-found', `there is no state ${number}`, {
      hint: numbers.length === 0 ? 'Nothing was installed in this root yet.' : `There are ${numbers.join(', ')}: see \`moss state list\`.`,
      data: { state: number },
    });
  }
}

/**
 * Switches to a state that is there already, by the same steps as the end of a transaction: the note, one rename, the
 * user's files, and the note goes. A crash in between is finished by the next writer.
 *
 * @throws MossError `not-found`; `damaged` when the user's files could not be brought along; `exists`
 */
export async function activateState(system: System, number: number): Promise<Configured> {
  const { layout, onEvent } = system;
  requireState(layout, number);
  const before = activeNumber(layout);
  if (before === number) return { kept: [], beside: [] };
  const tree = await treeOfState(system, number);
  for (const { entry } of tree.user) {
    if (entry.type === 'file' && !system.store.has(entry)) {
      throw new MossError('damaged', `the store has lost /${entry.path} of state ${number}`, { hint: `Run \`moss state verify ${number} --repair\`.`, data: { path: entry.path } });
    }
  }
  linkRoot(layout.root, tree.system);
  noteConfiguring(layout, { state: number, before });
  onEvent({ type: 'step', step: 'activate' });
  activate(system, number);
  onEvent({ type: 'step', step: 'configure' });
  const configured = await configureState(system, { state: number, before });
  clearConfiguring(layout);
  return configured;
}

/**
 * Removes states and what only they needed.
 *
 * @param coming packages of a change that is about to be made: what they need stays
 * @returns what this frees on the disk, or would with `dryRun`
 * @throws MossError `not-found`; `usage` for the active state and for pinned ones
 */
export async function removeStates(system: System, numbers: readonly number[], { dryRun, coming }: { dryRun: boolean; coming?: readonly InstalledPackage[] }): Promise<Amount> {
  const { layout, packages } = system;
  const active = activeNumber(layout);
  const pinned = pinnedStates(layout);
  for (const number of numbers) {
    requireStateNumber(layout, number);
    if (number === active) {
      throw new MossError('usage', `state ${number} is active, and the active state is never removed`, { hint: 'Activate another one before: `moss state activate N`.' });
    }
    if (pinned.has(number)) throw new MossError('usage', `state ${number} is pinned`, { hint: `Unpin it before: \`moss state unpin ${number}\`.` });
  }
  const freed = new Freed();
  for (const number of numbers) countTree(layout.state(number), freed);
  // Before anything goes: what a state needs must be known of all that stay.
  const unneeded = await findPrunable({ layout, packages, parts: ['store', 'symlinks', 'blocks'], without: new Set(numbers), coming, freed });
  if (dryRun || numbers.length === 0) return { files: freed.files, bytes: freed.bytes };
  for (const number of numbers) {
    // Under this name it counts as never sealed: the next writer takes away what a crash leaves of it.
    const gone = join(layout.states, `.${number}.tmp`);
    rmSync(gone, { recursive: true, force: true });
    renameSync(layout.state(number), gone);
    syncPath(layout.states);
    rmSync(gone, { recursive: true, force: true });
  }
  if (existsSync(layout.database)) {
    const database = await openDatabase(layout);
    for (const number of numbers) database.removeState(number);
    database.close();
  }
  prune(layout, unneeded);
  return { files: freed.files, bytes: freed.bytes };
}

function countTree(directory: string, freed: Freed): void {
  freed.take(lstatSync(directory));
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) countTree(path, freed);
    else freed.take(lstatSync(path));
  }
}

/** The states that go when so many of the newest are to stay; the active one and pinned ones stay besides. */
export function statesToPrune(layout: Layout, keep: number): number[] {
  const active = activeNumber(layout);
  const pinned = pinnedStates(layout);
  const others = stateNumbers(layout).filter((number) => number !== active && !pinned.has(number));
  const room = Math.max(0, active === undefined ? keep : keep - 1);
  return others.slice(0, Math.max(0, others.length - room));
}
