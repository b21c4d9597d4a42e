/** The packages of a new state, with the components that are wanted of each. */
import { parseCid, type Cid } from '../../core/dag/cid.ts';
import type { InstalledPackage } from '../../core/install/state.ts';
import { MossError } from '../../core/error.ts';
import type { Candidate } from '../../core/repo/index-file.ts';
import type { Resolution } from '../../core/repo/resolver.ts';
import type { ChangeRequest } from './change.ts';
import { addWishes, checkNames, chooseComponents } from './components.ts';
import type { FetchOptions, LoadedPackage } from './package-store.ts';
import { withPeers } from './peers.ts';
import type { System } from './system.ts';

export interface WantedPackage {
  name: string;
  /** What is installed, where that stays. */
  kept: InstalledPackage | undefined;
  candidate: Candidate | undefined;
  previous: InstalledPackage | undefined;
}

/** The packages of the new state, each with the components that are wanted of it. */
export async function choosePackages(system: System, wanted: readonly WantedPackage[], resolution: Resolution, request: ChangeRequest): Promise<InstalledPackage[]> {
  const explicit = new Set(resolution.explicit);
  const named = new Set((request.install ?? []).map(({ name }) => name));
  const isAsked = (name: string): boolean => named.has(name) || request.upgrade === 'all' || request.upgrade?.includes(name) === true;
  const said = { with: [...(request.with ?? [])], without: [...(request.without ?? [])] };
  const packages: InstalledPackage[] = [];
  const met: { name: string; components: string[] }[] = [];
  for (const { name, kept, candidate, previous } of wanted) {
    const manifestCid = candidate === undefined ? kept?.manifest : parseCid(candidate.manifest);
    if (manifestCid === undefined) throw new MossError('bug', `${name} is neither here nor to be fetched`);
    const manifest = await system.packages.manifest(manifestCid);
    if (candidate !== undefined && (manifest.metadata.name !== candidate.name || manifest.metadata.version !== candidate.version)) {
      throw new MossError('bad-manifest', `the index calls ${manifest.metadata.name} ${manifest.metadata.version} ${candidate.name} ${candidate.version}`);
    }
    const all = manifest.components.map((component) => component.name);
    const asked = isAsked(name);
    const wishes = addWishes(previous?.wishes, { with: asked ? said.with : [], without: asked || candidate !== undefined ? said.without : [] });
    if (asked || candidate !== undefined) met.push({ name, components: all });
    const { version, release, architecture, format } = manifest.metadata;
    packages.push({
      name, version, release, architecture, format,
      manifest: manifestCid,
      repository: candidate?.repository ?? kept?.repository ?? '',
      explicit: explicit.has(name),
      // What nobody asked about stays as it is, whatever the settings say by now.
      components: kept !== undefined && !asked ? kept.components : chooseComponents(all, wishes, system.settings),
      ...(wishes.with.length + wishes.without.length > 0 && { wishes }),
    });
  }
  if (met.length > 0) checkNames(said, met);
  return packages;
}

/** Fetches the tables of the components that are wanted, and no others, and reads them. */
export async function loadPackages(system: System, packages: readonly InstalledPackage[], { signal }: ChangeRequest): Promise<Map<string, LoadedPackage>> {
  const announced = new Set<string>();
  for (const { name, manifest } of packages) if ((await system.packages.manifest(manifest)).policy.announce) announced.add(name);
  for (const [repository, some] of Map.groupBy(packages, (each) => each.repository)) {
    const known = system.repositories.list().some(({ name }) => name === repository);
    const options: FetchOptions = {
      sources: known ? system.repositories.sources(repository) : [],
      signal,
      onBytes: (source, bytes) => system.onEvent({ type: 'received', source: source.name, kind: source.kind, bytes }),
    };
    const { open = [], quiet = [] } = Object.groupBy(some, ({ name }) => (announced.has(name) ? 'open' : 'quiet'));
    await withPeers(known ? system.peers : undefined, (peers) => system.packages.fetch(open.map(tablesOf), { ...options, peers }));
    await system.packages.fetch(quiet.map(tablesOf), options);
  }
  const loaded = new Map<string, LoadedPackage>();
  for (const { name, manifest, components } of packages) {
    const chosen = new Set(components);
    loaded.set(name, await system.packages.load(manifest, (component) => chosen.has(component)));
  }
  return loaded;
}

function tablesOf({ manifest, components }: InstalledPackage): { manifest: Cid; wants: (component: string) => boolean } {
  return { manifest, wants: (component) => components.includes(component) };
}
