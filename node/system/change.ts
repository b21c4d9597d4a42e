/** Works out a change: what the resolver wants, what it takes to get there, and what a person should know before. */
import { availableParallelism } from 'node:os';
import { parseCid, type Cid } from '../../core/dag/cid.ts';
import type { Entry, FileEntry } from '../../core/dag/entry.ts';
import type { Delta } from '../../core/dag/delta.ts';
import type { MaintainerScript } from '../../core/dag/package.ts';
import type { FileId } from '../../core/dag/file-id.ts';
import { checkLinks } from '../../core/install/check-links.ts';
import type { KnownDeltaFrame } from '../../core/install/delta.ts';
import { estimateTime } from '../../core/install/cost.ts';
import { planFetch, type FetchPlan, type PlannedPart } from '../../core/install/plan.ts';
import type { InstalledPackage } from '../../core/install/state.ts';
import { buildTree, checkFolding, type Tree, type TreePackage } from '../../core/install/tree.ts';
import { MossError } from '../../core/error.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { parseDependency, satisfies } from '../../core/repo/dependency.ts';
import { PackageIndex } from '../../core/repo/index-file.ts';
import { resolve, type Requirement, type Resolution } from '../../core/repo/resolver.ts';
import { hasGnuGzip } from '../gzip.ts';
import { foldsCase } from '../link/state-tree.ts';
import { prepareSync } from '../store/durable.ts';
import { wantedFiles } from '../store/modes.ts';
import { choosePackages, loadPackages, type WantedPackage } from './choose-packages.ts';
import { componentChanges, type ComponentChange } from './components.ts';
import { deltaFrames, fetchDeltas, type Update } from './deltas.ts';
import { stateNumbers } from './installed.ts';
import type { FetchOptions, LoadedPackage } from './package-store.ts';
import { readStateFile } from './state-file.ts';
import { withPeers } from './peers.ts';
import type { System } from './system.ts';

export interface ChangeRequest extends AbortOptions {
  install?: readonly Requirement[];
  remove?: readonly string[];
  upgrade?: 'all' | readonly string[];
  /** Whether packages that nothing needs any more go too. */
  removeOrphans: boolean;
  recommends?: boolean;
  allowEssential?: boolean;
  with?: readonly string[];
  without?: readonly string[];
  /** What to write down as the reason of the new state. */
  reason: string;
}

export interface Change {
  request: ChangeRequest;
  resolution: Resolution;
  /** Orphans that go. */
  orphans: string[];
  /** All packages of the new state. */
  packages: InstalledPackage[];
  loaded: Map<string, LoadedPackage>;
  tree: Tree;
  plan: FetchPlan;
  /** Bytes to fetch if there were no deltas. */
  whole: number;
  /** Packages that stay, of which other components will be here. */
  components: ComponentChange[];
  /** Which repository each delta frame comes from. */
  deltaHomes: Map<string, string>;
  /** Setuid and setgid files that come with new packages: to be shown before. */
  privileged: { package: string; path: string; mode: number }[];
  /** Scripts of new packages, which nobody runs. */
  scripts: { package: string; scripts: MaintainerScript[] }[];
  /** Whether the new state would be the same as the present one. */
  empty: boolean;
}

export async function planChange(system: System, request: ChangeRequest): Promise<Change> {
  const { settings, packages: store, onEvent } = system;
  const before = system.active?.packages ?? [];
  onEvent({ type: 'step', step: 'resolve' });
  const index = await openIndex(system, request);
  const installed = await Promise.all(
    before.map(async (each) => ({ ...(await store.manifest(each.manifest)).metadata, explicit: each.explicit })),
  );
  const resolution = resolve({
    index,
    architectures: [settings.architecture, 'all'],
    installed,
    recommends: request.recommends ?? settings.recommends,
    ...(request.install !== undefined && { install: request.install }),
    ...(request.remove !== undefined && { remove: request.remove }),
    ...(request.upgrade !== undefined && { upgrade: request.upgrade }),
    ...(request.allowEssential !== undefined && { allowEssential: request.allowEssential }),
  });
  // What will unpack and sync gets ready while this thread plans.
  if (resolution.install.length + resolution.upgrade.length + resolution.downgrade.length > 0) {
    prepareSync();
    system.pool.start();
  }
  const orphans = request.removeOrphans ? [...resolution.orphans] : [];
  const wanted = wantedPackages(resolution, before, new Set(orphans));
  const deltas = await fetchManifests(system, wanted, request);
  const packages = await choosePackages(system, wanted, resolution, request);
  if (isSame(before, packages)) return noChange(request, resolution, packages);
  const loaded = await loadPackages(system, packages, request);
  const parts = [...loaded.values()].flatMap((each) => each.parts);
  const here = system.store.look(wantedFiles(parts.flatMap(({ table }) => table.files)).values());
  // It shows where the result is asked for.
  here.catch(() => undefined);
  const tree = treeOfPackages(packages, loaded);
  checkLinks(tree);
  if (foldsCase(system.layout.moss)) checkFolding(tree);
  const known = await deltaFrames(store, deltas, loaded, tellTrouble(system));
  const { plan, whole } = cheapestPlan(system, parts, [...known.values()].flat(), await here);
  const homes = new Map(packages.map(({ name, repository }) => [name, repository]));
  const fresh = new Set([...resolution.install, ...resolution.upgrade.map(({ to }) => to), ...resolution.downgrade.map(({ to }) => to)].map(({ name }) => name));
  return {
    request,
    resolution,
    orphans,
    packages,
    loaded,
    tree,
    plan,
    whole,
    components: componentChanges(before, packages, loaded),
    deltaHomes: new Map([...known].flatMap(([name, frames]) => frames.map(({ cid }) => [cid.toString(), homes.get(name) ?? '']))),
    privileged: [...tree.system, ...tree.user].flatMap(({ entry, owner }) =>
      fresh.has(owner) && entry.type === 'file' && (entry.mode & 0o6000) !== 0 ? [{ package: owner, path: entry.path, mode: entry.mode }] : [],
    ),
    scripts: packages.flatMap(({ name }) => {
      const scripts = loaded.get(name)?.manifest.scripts ?? [];
      return fresh.has(name) && scripts.length > 0 ? [{ package: name, scripts }] : [];
    }),
    empty: false,
  };
}

/** All is as it was asked for: no table is read for that, nor any file looked at. */
function noChange(request: ChangeRequest, resolution: Resolution, packages: InstalledPackage[]): Change {
  return {
    request,
    resolution,
    orphans: [],
    packages,
    loaded: new Map(),
    tree: { system: [], user: [] },
    plan: { frames: [], files: 0, bytes: 0, download: 0, deltas: 0 },
    whole: 0,
    components: [],
    deltaHomes: new Map(),
    privileged: [],
    scripts: [],
    empty: true,
  };
}

/** What can be installed. A removal goes on without: it must work when a repository is gone or has expired. */
async function openIndex({ repositories, onEvent }: System, { install = [], upgrade = [], signal }: ChangeRequest): Promise<PackageIndex> {
  try {
    return new PackageIndex(await repositories.indexes({ signal }));
  } catch (error) {
    if (install.length > 0 || upgrade.length > 0 || !(error instanceof MossError)) throw error;
    onEvent({ type: 'warning', message: `no other packages are considered: ${error.message}`, hint: error.hint });
    return new PackageIndex([]);
  }
}

/**
 * Packed documents travel unpacked and are packed again here, which costs time: 14 MB a second. From a quick source it
 * is quicker to fetch them as they are. But where deltas bring them, the fewest bytes win: that is what deltas are for.
 */
function cheapestPlan(system: System, parts: readonly PlannedPart[], deltas: readonly KnownDeltaFrame[], copies: ReadonlyMap<FileId, number>): { plan: FetchPlan; whole: number } {
  const known = new Map<FileId, boolean>();
  const has = (file: Pick<FileEntry, 'id' | 'size'>): boolean => {
    const copy = copies.get(file.id);
    const here = known.get(file.id) ?? (copy === undefined ? system.store.has(file) : copy > 0);
    known.set(file.id, here);
    return here;
  };
  const gzip = hasGnuGzip();
  const packedHere = planFetch(parts, { has, gzip });
  const updated = deltas.length > 0 ? planFetch(parts, { has, gzip, deltas }) : undefined;
  if (updated !== undefined && updated.deltas > 0) return { plan: updated, whole: packedHere.download };
  if (!gzip) return { plan: packedHere, whole: packedHere.download };
  const asIs = planFetch(parts, { has, gzip: false });
  const speeds = system.repositories.list().flatMap(({ name }) => system.repositories.sources(name).flatMap(({ speed }) => speed ?? []));
  const [slowest] = speeds.toSorted((a, b) => a.rate - b.rate);
  const cores = availableParallelism();
  const plan = slowest !== undefined && estimateTime(asIs, slowest, cores) < estimateTime(packedHere, slowest, cores) ? asIs : packedHere;
  return { plan, whole: plan.download };
}

function wantedPackages(resolution: Resolution, before: readonly InstalledPackage[], orphans: ReadonlySet<string>): WantedPackage[] {
  const installed = new Map(before.map((each) => [each.name, each]));
  const from = (name: string): InstalledPackage | undefined => installed.get(name);
  const wanted: WantedPackage[] = [
    ...resolution.keep.map(({ name }) => ({ name, kept: from(name), candidate: undefined, previous: from(name) })),
    ...[...resolution.install, ...[...resolution.upgrade, ...resolution.downgrade].map(({ to }) => to)].map((candidate) => ({
      name: candidate.name,
      kept: undefined,
      candidate,
      previous: from(candidate.name),
    })),
  ];
  return wanted.filter(({ name }) => !orphans.has(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Manifests by repository; those of kept packages are here, unless somebody damaged the root.
 *
 * @returns the deltas of packages that another version is here of, by name
 */
async function fetchManifests(system: System, wanted: readonly WantedPackage[], request: ChangeRequest): Promise<Map<string, Delta>> {
  const { onEvent } = system;
  onEvent({ type: 'step', step: 'manifests' });
  const deltas = new Map<string, Delta>();
  const byRepository = Map.groupBy(wanted, ({ kept, candidate }) => candidate?.repository ?? kept?.repository ?? '');
  for (const [repository, some] of byRepository) {
    const known = system.repositories.list().some(({ name }) => name === repository);
    const options: FetchOptions = {
      sources: known ? system.repositories.sources(repository) : [],
      signal: request.signal,
      onBytes: (source, bytes) => onEvent({ type: 'received', source: source.name, kind: source.kind, bytes }),
    };
    const listed = known ? system.repositories.deltas(repository) : undefined;
    const updates = listed === undefined ? [] : updatesOf(system, some);
    if (listed !== undefined && updates.length > 0) {
      for (const [name, delta] of await fetchDeltas(system.packages, updates, { ...options, listed, onTrouble: tellTrouble(system) })) deltas.set(name, delta);
    }
    // A peer is never asked for what its publisher wants no one to tell of; what is kept is here already.
    const { open = [], quiet = [] } = Object.groupBy(some, ({ candidate }) => (candidate?.announce === true ? 'open' : 'quiet'));
    await withPeers(known ? system.peers : undefined, (peers) => system.packages.fetch(open.flatMap(manifestOf), { ...options, peers }));
    await system.packages.fetch(quiet.flatMap(manifestOf), options);
  }
  return deltas;
}

function manifestOf({ kept, candidate }: WantedPackage): { manifest: Cid; wants: () => boolean }[] {
  const manifest = candidate === undefined ? kept?.manifest : parseCid(candidate.manifest);
  return manifest === undefined ? [] : [{ manifest, wants: () => false }];
}

/** Packages of which some state has another version: what a delta may start from. */
function updatesOf({ layout }: System, wanted: readonly WantedPackage[]): Update[] {
  const fresh = wanted.filter(({ candidate }) => candidate !== undefined);
  if (fresh.length === 0) return [];
  const earlier = stateNumbers(layout).toReversed().flatMap((number) => readStateFile(layout.state(number)).packages);
  return fresh.flatMap(({ name, candidate, previous }): Update[] => {
    if (candidate === undefined) return [];
    const to = parseCid(candidate.manifest);
    const from = [...(previous === undefined ? [] : [previous]), ...earlier.filter((each) => each.name === name)].map(({ manifest }) => manifest).filter((each) => !each.equals(to));
    return from.length === 0 ? [] : [{ name, to, from }];
  });
}

function tellTrouble({ onEvent }: System): (what: string, error: MossError) => void {
  return (what, { message, code }) => onEvent({ type: 'warning', message: `${what} not used: ${message} (${code})` });
}

/**
 * The tree of packages that are loaded.
 *
 * @param only which of their entries count: all, if it is left out
 */
export function treeOfPackages(packages: readonly InstalledPackage[], loaded: ReadonlyMap<string, LoadedPackage>, only?: (entry: Entry) => boolean): Tree {
  const versions = new Map(packages.map((each) => [each.name, each]));
  return buildTree(
    packages.map(({ name }): TreePackage => {
      const { manifest, parts } = loaded.get(name) ?? { manifest: undefined, parts: [] };
      const replaced = (manifest?.metadata.replaces ?? []).flatMap(parseDependency);
      return {
        name,
        entries: parts.flatMap(({ table }) => only === undefined ? table.entries : table.entries.filter(only)),
        alternatives: manifest?.alternatives ?? [],
        replaces: (other) =>
          replaced.some(({ name: wanted, relation, version }) => {
            const there = versions.get(other);
            if (wanted !== other || there === undefined) return false;
            return relation === undefined || version === undefined || satisfies(there.format, relation, version, there);
          }),
      };
    }),
  );
}

/** The files of a tree, which must be in the store before it is linked. */
export function* filesOf(tree: Tree): Generator<FileEntry> {
  for (const { entry } of tree.system) if (entry.type === 'file') yield entry;
  for (const { entry } of tree.user) if (entry.type === 'file') yield entry;
}

function isSame(before: readonly InstalledPackage[], after: readonly InstalledPackage[]): boolean {
  return textOf(before) === textOf(after);
}

function textOf(packages: readonly InstalledPackage[]): string {
  return JSON.stringify(packages.map((each) => [each.name, each.manifest.toString(), each.explicit, each.components.toSorted(), each.wishes]).toSorted());
}
