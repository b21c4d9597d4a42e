/** Makes a change real: the steps of a transaction, done on this machine. */
import { readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { State } from '../../core/install/state.ts';
import { runTransaction } from '../../core/install/transaction.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { nodeClock } from '../clock.ts';
import { buildStateTree, chooseLinkMethod, linkRoot } from '../link/state-tree.ts';
import { syncFileSystem, syncPath } from '../store/durable.ts';
import { wantedFiles } from '../store/modes.ts';
import { Staging } from '../store/staging.ts';
import type { LinkMethod } from '../link/link-files.ts';
import { filesOf, type Change } from './change.ts';
import { clearConfiguring, configureState, noteConfiguring, type Configured } from './configure.ts';
import { dictionariesOf, fetchPlan } from './fetch-plan.ts';
import { activeNumber, openDatabase, stateNumbers } from './installed.ts';
import { factsOf } from './package-facts.ts';
import { writeStateFile } from './state-file.ts';
import type { System } from './system.ts';

export interface Applied {
  state: State;
  /** Bytes that each source brought. */
  received: Map<string, number>;
  configured: Configured;
}

export async function applyChange(system: System, change: Change, options: AbortOptions = {}): Promise<Applied> {
  const { layout, onEvent } = system;
  const { plan, tree, request } = change;
  const before = activeNumber(layout);
  const state: State = {
    number: Math.max(0, ...stateNumbers(layout)) + 1,
    created: nodeClock.now(),
    reason: request.reason,
    packages: change.packages,
  };
  const unsealed = join(layout.states, `.${state.number}.tmp`);
  const staging = new Staging(layout, system.pool, wantedFiles(filesOf(tree)));
  const received = new Map<string, number>();
  let configured: Configured = { kept: [], beside: [] };
  linkRoot(layout.root, tree.system, { dryRun: true });
  await runTransaction(
    {
      fetch: (step) => fetchPlan(system, { plan, packages: change.packages, loaded: change.loaded, deltaHomes: change.deltaHomes }, staging, received, step),
      store: async () => {
        // The disk and the workers are busy with the files: the database takes the time of this thread.
        await Promise.all([system.store.adopt(staging, dictionariesOf(change.loaded)), enterPackages(system, state)]);
      },
      link: async () => {
        onEvent({ type: 'total', unit: 'entries', count: tree.system.filter(({ entry }) => entry.type !== 'directory').length });
        rmSync(unsealed, { recursive: true, force: true });
        linkRoot(layout.root, tree.system);
        await buildStateTree(unsealed, tree.system, {
          layout,
          pool: system.pool,
          method: linkMethod(system),
          onProgress: (count) => onEvent({ type: 'done', unit: 'entries', count }),
        });
        writeStateFile(unsealed, state);
        await syncFileSystem(layout.moss);
      },
      seal: async () => {
        noteConfiguring(layout, { state: state.number, before, fresh: true });
        renameSync(unsealed, layout.state(state.number));
        syncPath(layout.states);
        const database = await openDatabase(layout);
        database.addState(state, await factsOf(system.packages, state.packages));
        database.close();
      },
      activate: async () => activate(system, state.number),
      configure: async () => {
        configured = await configureState(system, { state: state.number, before }, tree);
        clearConfiguring(layout);
      },
    },
    { ...options, onStep: (step) => onEvent({ type: 'step', step }) },
  );
  return { state, received, configured };
}

async function enterPackages({ layout, packages }: System, state: State): Promise<void> {
  const database = await openDatabase(layout);
  try {
    database.addPackages(await factsOf(packages, state.packages));
  } finally {
    database.close();
  }
}

/** Points `current` at another state: one rename. */
export function activate({ layout }: System, number: number): void {
  const temporary = join(layout.moss, `current.${process.pid}`);
  rmSync(temporary, { force: true });
  symlinkSync(`states/${number}`, temporary);
  renameSync(temporary, layout.current);
  syncPath(layout.moss);
}

export function linkMethod({ layout, settings }: System): LinkMethod {
  return settings.link === 'auto' ? chooseLinkMethod(layout) : settings.link;
}

/** Trees that were never sealed. */
export function unsealedTrees(states: string): string[] {
  return readdirSync(states).filter((name) => name.startsWith('.')).map((name) => join(states, name));
}
