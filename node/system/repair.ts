/** Mends what `verifyState` found: fetches exactly the files that are broken, and links them anew. */
import { lstatSync } from 'node:fs';
import type { Entry, FileEntry } from '../../core/dag/entry.ts';
import type { FileId } from '../../core/dag/file-id.ts';
import { MossError } from '../../core/error.ts';
import { planFetch, type FetchPlan } from '../../core/install/plan.ts';
import type { InstalledPackage } from '../../core/install/state.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { hasGnuGzip } from '../gzip.ts';
import { mendLinks } from '../link/state-tree.ts';
import { syncFileSystem } from '../store/durable.ts';
import { looksWhole } from '../store/files.ts';
import type { StoredFile } from '../store/file-store.ts';
import { wantedFiles } from '../store/modes.ts';
import { Staging } from '../store/staging.ts';
import { treeOfState } from './configure.ts';
import { dictionariesOf, fetchPlan, UNAVAILABLE } from './fetch-plan.ts';
import { stateNumbers } from './installed.ts';
import type { LoadedPackage } from './package-store.ts';
import { relink } from './relink.ts';
import type { System } from './system.ts';
import { isFile, type VerifiedState } from './verify.ts';

/** What it takes to mend a state; nothing has been changed yet. */
export interface RepairPlan {
  verified: VerifiedState;
  /** Store files with other bytes: they go into quarantine. */
  altered: StoredFile[];
  /** Store files with the right bytes, whose mode or time somebody changed: they get an inode of their own. */
  touched: StoredFile[];
  /** Files that must be in the store afterwards. */
  files: FileEntry[];
  fetch: FetchPlan;
  packages: readonly InstalledPackage[];
  loaded: ReadonlyMap<string, LoadedPackage>;
}

export interface Repaired {
  /** Entries that were put right. */
  entries: number;
  /** Files that were fetched again, and the bytes that came for them. */
  files: number;
  received: Map<string, number>;
}

/** @param packages of the state */
export async function planRepair(system: System, verified: VerifiedState, packages: readonly InstalledPackage[]): Promise<RepairPlan> {
  const owners = new Set(verified.broken.map((each) => each.package));
  const concerned = packages.filter(({ name }) => owners.has(name));
  const loaded = new Map<string, LoadedPackage>();
  for (const each of concerned) {
    const chosen = new Set(each.components);
    loaded.set(each.name, await system.packages.load(each.manifest, (component) => chosen.has(component)));
  }
  const parts = [...loaded.values()].flatMap((each) => each.parts);
  const files = verified.broken.filter(isFile).map(({ entry }) => entry);
  const plan: RepairPlan = { verified, altered: [], touched: [], files, fetch: planFetch([], { has: () => true, gzip: true }), packages: concerned, loaded };
  const missing = await inspectStore(system, files, plan);
  // What a frame is compressed against must be right as well, which only reading it tells.
  const known = new Map(parts.flatMap(({ table }) => table.files.map((file) => [file.id, file])));
  const trusted = new Set<FileId>();
  for (;;) {
    plan.fetch = planFetch(parts, { has: ({ id }) => !missing.has(id), gzip: hasGnuGzip() });
    const bases = [...new Set(plan.fetch.frames.flatMap(({ base }) => base?.id ?? []))].filter((id) => !missing.has(id) && !trusted.has(id));
    if (bases.length === 0) return plan;
    const entries = bases.flatMap((id) => known.get(id) ?? []);
    const bad = await inspectStore(system, entries, plan);
    for (const id of bases) {
      // A dictionary is no file of the package, and comes with the plan.
      if (bad.has(id) || !known.has(id)) missing.add(id);
      else trusted.add(id);
    }
    plan.files.push(...entries.filter(({ id }) => bad.has(id)));
  }
}

/**
 * Reads the store entries of files: those that a repair must not trust are noted in the plan.
 *
 * @returns the files of which the store has no right bytes
 */
async function inspectStore(system: System, files: readonly FileEntry[], plan: RepairPlan): Promise<Set<FileId>> {
  const { layout, store } = system;
  const there = new Map<string, StoredFile>();
  for (const { id, size } of files) {
    for (const executable of [false, true]) {
      const path = layout.stored(id, executable);
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) there.set(path, { id, size, executable });
    }
  }
  const good = await store.check([...there].map(([path, { id, size }]) => ({ path, id, size })));
  const whole = new Set<FileId>();
  for (const [i, [path, file]] of [...there].entries()) {
    if (good[i] !== true) {
      plan.altered.push(file);
      continue;
    }
    whole.add(file.id);
    const mode = lstatSync(path).mode & 0o7777;
    if (!looksWhole(path, file.size) || mode !== (file.executable ? 0o555 : 0o444) || !isOurs(path, layout.moss)) plan.touched.push(file);
  }
  return new Set(files.map(({ id }) => id).filter((id) => !whole.has(id)));
}

function isOurs(path: string, moss: string): boolean {
  const [file, home] = [lstatSync(path), lstatSync(moss)];
  return file.uid === home.uid && file.gid === home.gid;
}

/**
 * What takes no fetching is mended first: there may be no source.
 *
 * @throws MossError as `fetchBlocks` does
 */
export async function repairState(system: System, plan: RepairPlan, { signal }: AbortOptions = {}): Promise<Repaired> {
  const { layout, store } = system;
  const { verified } = plan;
  const received = new Map<string, number>();
  // The user's own files are left alone: of these the store has the original again.
  const rows = verified.broken.filter(({ problem }) => problem !== 'original').map(({ entry }) => entry);
  const done = new Set(rows.map(({ path }) => path));
  const fetched = new Set(plan.fetch.frames.flatMap(({ pieces }) => pieces.map(({ id }) => id)));
  const { here = [], lost = [] } = Object.groupBy(plan.files, ({ id }) => (fetched.has(id) ? 'lost' : 'here'));
  const isLost = (entry: Entry): boolean => entry.type === 'file' && fetched.has(entry.id);
  const ids = new Set(plan.files.map(({ id }) => id));
  const names = new Map<number, FileEntry[]>();
  for (const number of stateNumbers(layout)) names.set(number, await namesOf(system, number, ids, number === verified.number ? done : new Set()));
  const mend = (isMeant: (entry: Entry) => boolean): void => {
    relink(system, verified.number, rows.filter(isMeant));
    for (const [number, entries] of names) {
      const meant = entries.filter(isMeant);
      // The store may have the file with the other mode only.
      store.complete(meant);
      relink(system, number, meant);
    }
  };
  for (const file of plan.altered) store.quarantine(file);
  for (const file of plan.touched) if (!(await store.renew(file))) store.quarantine(file);
  store.complete(here);
  mend((entry) => !isLost(entry));
  mendLinks(verified.links);
  const failures = plan.fetch.frames.length === 0 ? [] : await fetchLost(system, plan, lost, received, { signal });
  const arrived = new Set(lost.filter((file) => store.has(file)).map(({ id }) => id));
  mend((entry) => isLost(entry) && entry.type === 'file' && arrived.has(entry.id));
  await syncFileSystem(layout.moss);
  const [failure, ...others] = failures;
  for (const { message, hint } of others) system.onEvent({ type: 'warning', message, hint });
  if (failure !== undefined) throw failure;
  return { entries: verified.broken.length + verified.links.length, files: plan.fetch.files, received };
}

/**
 * Brings files into the store. What one repository does not bring, or has of one package no more, keeps nothing else broken.
 *
 * @returns why some are not there
 */
async function fetchLost(system: System, plan: RepairPlan, lost: readonly FileEntry[], received: Map<string, number>, { signal }: AbortOptions): Promise<MossError[]> {
  const failures: MossError[] = [];
  const wanted = new Set(plan.fetch.frames.flatMap(({ pieces }) => pieces.map(({ id }) => id)));
  const attempt = async (packages: readonly InstalledPackage[]): Promise<void> => {
    const loaded = new Map([...plan.loaded].filter(([name]) => packages.some((each) => each.name === name)));
    const fetch = planFetch([...loaded.values()].flatMap(({ parts }) => parts), { has: ({ id }) => !wanted.has(id), gzip: hasGnuGzip() });
    const ids = new Set(fetch.frames.flatMap(({ pieces }) => pieces.map(({ id }) => id)));
    try {
      const staging = new Staging(system.layout, system.pool, wantedFiles(lost.filter(({ id }) => ids.has(id))));
      await fetchPlan(system, { plan: fetch, packages, loaded }, staging, received, { signal });
      await system.store.adopt(staging, dictionariesOf(loaded));
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof MossError) || !UNAVAILABLE.has(error.code)) throw error;
      const homes = [...Map.groupBy(packages, ({ repository }) => repository).values()];
      const smaller = homes.length === 1 && error.code !== 'source-failed' ? packages.map((each) => [each]) : homes;
      if (smaller.length > 1) for (const some of smaller) await attempt(some);
      else failures.push(new MossError(error.code, `${someOf(packages)} cannot be mended: ${error.message}`, { ...(error.hint !== undefined && { hint: error.hint }), data: error.data, cause: error }));
    }
  };
  await attempt(plan.packages);
  return failures;
}

function someOf(packages: readonly InstalledPackage[]): string {
  const names = packages.map(({ name }) => name);
  return names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}

/** Other names that files have in a state: they may be hard links to the very inode that was altered, and a rollback must not bring it back. */
async function namesOf(system: System, number: number, ids: ReadonlySet<FileId>, done: ReadonlySet<string>): Promise<FileEntry[]> {
  try {
    const { system: rows } = await treeOfState(system, number);
    return rows.flatMap(({ entry }) => (entry.type === 'file' && ids.has(entry.id) && !done.has(entry.path) ? [entry] : []));
  } catch (error) {
    if (!(error instanceof MossError) || error.code !== 'damaged') throw error;
    system.onEvent({ type: 'warning', message: `state ${number} may hold the same broken files: ${error.message}`, hint: `Run \`moss state verify ${number} --repair\`.` });
    return [];
  }
}
