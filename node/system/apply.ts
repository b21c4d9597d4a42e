/** Makes a change real: the steps of a transaction, done on this machine. */
import { readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { parseCid } from '../../core/dag/cid.ts';
import { fetchBlocks } from '../../core/exchange/session.ts';
import type { WantedFrame } from '../../core/install/plan.ts';
import type { State } from '../../core/install/state.ts';
import { runTransaction } from '../../core/install/transaction.ts';
import { MossError } from '../../core/error.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { nodeClock } from '../clock.ts';
import { buildStateTree, chooseLinkMethod, linkRoot } from '../link/state-tree.ts';
import { syncFileSystem, syncPath } from '../store/durable.ts';
import { Staging } from '../store/staging.ts';
import type { LinkMethod } from '../store/tasks.ts';
import { filesOf, type Change } from './change.ts';
import { clearConfiguring, configureState, noteConfiguring, type Configured } from './configure.ts';
import { activeNumber, openDatabase, stateNumbers } from './installed.ts';
import { writeStateFile } from './state-file.ts';
import type { System } from './system.ts';

export interface Applied {
  state: State;
  /** Bytes that each source brought. */
  received: Map<string, number>;
  /** Bytes of files that were not fetched, since an interrupted run had brought them or they were here. */
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
  const staging = new Staging(layout, system.pool);
  const received = new Map<string, number>();
  let configured: Configured = { kept: [], beside: [] };
  linkRoot(layout.root, tree.system, { dryRun: true });
  await runTransaction(
    {
      fetch: async ({ signal }) => {
        onEvent({ type: 'total', unit: 'files', count: plan.files });
        onEvent({ type: 'total', unit: 'bytes', count: plan.download });
        await staging.resume({ signal });
        const frames = staging.remaining(plan);
        const get = (some: readonly WantedFrame[]): Promise<void> => fetchFrames(system, change, some, staging, received, { signal });
        await get(frames.filter(({ base }) => base === undefined));
        await get(frames.filter(({ base }) => base !== undefined));
        const refused = new Set(await staging.settle());
        if (refused.size > 0) await get(verbatimFrames(change, refused));
        await staging.settle();
      },
      store: () => system.store.adopt(staging, filesOf(tree)),
      link: async () => {
        onEvent({ type: 'total', unit: 'entries', count: tree.system.length });
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
        renameSync(unsealed, layout.state(state.number));
        syncPath(layout.states);
        const database = await openDatabase(layout);
        const facts = await system.packages.facts(state.packages);
        database.addState(state, (manifest) => {
          const found = facts.get(manifest);
          if (found === undefined) throw new MossError('bug', `no facts about ${manifest}`);
          return found;
        });
        database.close();
        noteConfiguring(layout, { state: state.number, before });
      },
      activate: async () => activate(system, state.number),
      configure: async () => {
        configured = await configureState(system, { state: state.number, before });
        clearConfiguring(layout);
      },
    },
    { ...options, onStep: (step) => onEvent({ type: 'step', step }) },
  );
  return { state, received, configured };
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

/** Fetches frames by repository and unpacks each as it comes. */
async function fetchFrames(
  system: System,
  change: Change,
  frames: readonly WantedFrame[],
  staging: Staging,
  received: Map<string, number>,
  { signal }: AbortOptions,
): Promise<void> {
  const { onEvent } = system;
  const byCid = new Map(frames.map((frame) => [frame.cid.toString(), frame]));
  for (const [repository, wants] of framesByRepository(change, frames)) {
    await fetchBlocks(
      wants.map(({ cid, size }) => ({ cid, maxBytes: size })),
      {
        sources: system.repositories.sources(repository),
        clock: nodeClock,
        signal,
        onBytes: (source, bytes) => {
          received.set(source.name, (received.get(source.name) ?? 0) + bytes);
          onEvent({ type: 'received', source: source.name, kind: source.kind, bytes });
        },
        accept: async ({ cid }, bytes) => {
          const frame = byCid.get(cid.toString());
          if (frame === undefined) throw new MossError('bug', `nobody wanted ${cid.toString()}`);
          await staging.unpack(frame, bytes);
          onEvent({ type: 'done', unit: 'bytes', count: frame.size });
          onEvent({ type: 'done', unit: 'files', count: frame.pieces.filter((piece) => piece.offset + piece.length === piece.total).length });
        },
      },
    );
  }
}

/** A frame comes from the repository of the package that holds it. */
function framesByRepository(change: Change, frames: readonly WantedFrame[]): Map<string, WantedFrame[]> {
  const homes = new Map<string, string>();
  for (const { name, repository } of change.packages) {
    const loaded = change.loaded.get(name);
    for (const { part, table, dictionary } of loaded?.parts ?? []) {
      for (const { cid } of part.frames) homes.set(cid.toString(), repository);
      for (const file of table.files) if (file.recipe !== undefined) homes.set(file.id, repository);
      if (dictionary !== undefined) homes.set(dictionary.frame.cid.toString(), repository);
    }
  }
  return Map.groupBy(frames, ({ cid }) => homes.get(cid.toString()) ?? '');
}

/** Documents as they are, where the gzip of this machine does not give them back. */
function verbatimFrames(change: Change, refused: ReadonlySet<string>): WantedFrame[] {
  const out: WantedFrame[] = [];
  for (const { id, size } of filesOf(change.tree)) {
    if (!refused.has(id) || out.some(({ pieces }) => pieces[0]?.id === id)) continue;
    out.push({ cid: parseCid(id), size, plain: size, compressed: false, pieces: [{ id, at: 0, offset: 0, length: size, total: size, gzip: false }] });
  }
  return out;
}

/** Trees that were never sealed. */
export function unsealedTrees(states: string): string[] {
  return readdirSync(states).filter((name) => name.startsWith('.')).map((name) => join(states, name));
}
