/** Mends what `verifyState` found: fetches exactly the broken files, and links them anew. */
import { planFetch } from '../../core/install/plan.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { FileId } from '../../core/dag/file-id.ts';
import { hasGnuGzip } from '../gzip.ts';
import { syncFileSystem } from '../store/durable.ts';
import { Staging } from '../store/staging.ts';
import { treeOfState } from './configure.ts';
import { fetchPlan } from './fetch-plan.ts';
import { stateNumbers } from './installed.ts';
import type { LoadedPackage } from './package-store.ts';
import { readStateFile } from './state-file.ts';
import type { System } from './system.ts';
import { quarantineAltered, relink, type VerifiedState } from './verify.ts';

export interface Repaired {
  /** Entries that were put right. */
  entries: number;
  /** Files that were fetched again, and the bytes that came for them. */
  files: number;
  received: Map<string, number>;
}

/** @throws MossError as `fetchBlocks` does; what could be mended without fetching is then still broken */
export async function repairState(system: System, verified: VerifiedState, { signal }: AbortOptions = {}): Promise<Repaired> {
  const { layout, store } = system;
  const received = new Map<string, number>();
  if (verified.broken.length === 0) return { entries: 0, files: 0, received };
  const files = await quarantineAltered(system, verified);
  const needed = new Set<FileId>(files.filter((file) => !store.has(file)).map(({ id }) => id));
  const state = readStateFile(layout.state(verified.number));
  const owners = new Set(verified.broken.map((each) => each.package));
  const packages = state.packages.filter(({ name }) => owners.has(name));
  const loaded = new Map<string, LoadedPackage>();
  for (const each of packages) {
    const chosen = new Set(each.components);
    loaded.set(each.name, await system.packages.load(each.manifest, (component) => chosen.has(component)));
  }
  const plan = planFetch([...loaded.values()].flatMap(({ parts }) => parts), { has: (file) => !needed.has(file.id), gzip: hasGnuGzip() });
  const staging = new Staging(layout, system.pool);
  await fetchPlan(system, { plan, packages, loaded }, staging, received, { signal });
  await store.adopt(staging, files);
  relink(system, verified);
  const ids = new Set(files.map(({ id }) => id));
  for (const number of stateNumbers(layout)) if (number !== verified.number) await relinkFiles(system, number, ids);
  await syncFileSystem(layout.moss);
  return { entries: verified.broken.length, files: plan.files, received };
}

/** Other states may have hard links to the very inode that was altered: a rollback must not bring it back. */
async function relinkFiles(system: System, number: number, ids: ReadonlySet<FileId>): Promise<void> {
  const { system: rows } = await treeOfState(system, number);
  const broken = rows.flatMap(({ entry, owner }) =>
    entry.type === 'file' && ids.has(entry.id) && system.store.has(entry) ? [{ path: entry.path, package: owner, problem: 'altered' as const, entry }] : [],
  );
  // The store may have the file with the other mode only.
  system.store.complete(broken.map(({ entry }) => entry));
  relink(system, { number, broken });
}
