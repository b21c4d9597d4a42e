/** moss's own records of a state: the state's file, manifests and tables, and the database that is made of them. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { InstalledPackage, State } from '../../core/install/state.ts';
import { MossError } from '../../core/error.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { Database } from './database.ts';
import { openDatabase } from './installed.ts';
import { factsOf } from './package-facts.ts';
import type { System } from './system.ts';
import { readStateFile, STATE_FILE, writeStateFile } from './state-file.ts';
import type { Finding } from './verify.ts';

export interface VerifiedRecords {
  findings: Finding[];
  /** Packages whose records are whole: only of these it can be told how they should be. */
  readable: InstalledPackage[];
}

export async function verifyRecords({ layout, packages }: System, state: State): Promise<VerifiedRecords> {
  const findings: Finding[] = [];
  const readable: InstalledPackage[] = [];
  for (const each of state.packages) {
    const broken = await packages.broken(each);
    for (const { path, problem } of broken) findings.push({ path: relative(layout.root, path), package: each.name, problem });
    if (broken.length === 0) readable.push(each);
  }
  return { findings, readable };
}

/**
 * Whether the database says of a state what the state's records say, which are whole. One of another version of moss is
 * made anew first.
 *
 * @param pause awaited now and then, for this thread to do something else in between
 */
export async function verifyDatabase(system: System, state: State, pause: () => Promise<void>): Promise<Finding[]> {
  const { layout, packages } = system;
  if (!existsSync(layout.database)) return [];
  if (Database.isOfAnotherVersion(layout.database)) await mendDatabase(system);
  if (await Database.fits(layout.database, state, await factsOf(packages, state.packages), pause)) return [];
  return [{ path: relative(layout.root, layout.database), package: '', problem: 'altered' }];
}

/** Makes the database anew, from the records of all states. */
export async function mendDatabase({ layout }: System): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${layout.database}${suffix}`, { force: true });
  (await openDatabase(layout, () => undefined)).close();
}

/** Fetches manifests and tables that were lost or damaged. */
export async function mendRecords(system: System, state: State, { findings }: VerifiedRecords, { signal }: AbortOptions = {}): Promise<void> {
  const broken = new Set(findings.map((each) => each.package));
  const concerned = state.packages.filter(({ name }) => broken.has(name));
  for (const [repository, some] of Map.groupBy(concerned, (each) => each.repository)) {
    await system.packages.fetch(
      some.map(({ manifest, components }) => ({ manifest, wants: (component) => components.includes(component) })),
      { sources: system.repositories.sourcesOf(repository), signal },
    );
  }
}

/** What a state holds, and what is wrong with the file that says so. */
export interface VerifiedRecord {
  state: State;
  findings: Finding[];
}

/**
 * The record of a state; where its file is damaged, or lost with all of the state's tree, from the database.
 *
 * @param mend whether the file is written anew
 * @throws MossError `damaged` when neither can be read
 */
export function recordOf({ layout }: Pick<System, 'layout'>, number: number, { mend }: { mend: boolean }): VerifiedRecord {
  const directory = layout.state(number);
  try {
    return { state: readStateFile(directory), findings: [] };
  } catch (error) {
    const state = error instanceof MossError && error.code === 'damaged' ? Database.recordOf(layout.database, number) : undefined;
    if (state === undefined) throw error;
    const path = join(directory, STATE_FILE);
    const findings: Finding[] = [{ path: relative(layout.root, path), package: '', problem: existsSync(path) ? 'altered' : 'missing' }];
    if (mend) {
      mkdirSync(directory, { recursive: true });
      writeStateFile(directory, state);
    }
    return { state, findings };
  }
}
