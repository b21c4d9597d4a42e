/**
 * The policy `installed`: what a machine serves on a network that its user trusts. Of the packages of the active state,
 * those that their publisher lets be announced and that are the newest of their name; of these the manifests, the
 * tables, and the files of the components that are here. Files of their earlier versions, as long as a state has them, are
 * not served, but deltas may start from them. Only records are read: the content stays where it is.
 */
import { statSync } from 'node:fs';
import { asCid, parseCid, type Cid } from '../../core/dag/cid.ts';
import type { Table } from '../../core/dag/table.ts';
import { MossError } from '../../core/error.ts';
import type { InstalledPackage } from '../../core/install/state.ts';
import { PackageIndex } from '../../core/repo/index-file.ts';
import type { Layout } from '../store/layout.ts';
import { BlockDirectory } from '../store/block-directory.ts';
import { isExecutable } from '../store/modes.ts';
import { activeState, stateNumbers } from '../system/installed.ts';
import { readStateFile } from '../system/state-file.ts';
import { PackageStore } from '../system/package-store.ts';
import type { KnownRepository } from '../system/repositories.ts';
import { ContentIndex, type Item, type Place } from './content-index.ts';

export interface Listing {
  index: ContentIndex;
  /** Fingerprints of the repositories that something is listed of. */
  repositories: Uint8Array[];
  packages: number;
}

/** @param known the repositories as this machine knows them: nobody is asked */
export async function listInstalled(layout: Layout, known: readonly KnownRepository[]): Promise<Listing> {
  const store = new PackageStore(layout);
  const blocks = new BlockDirectory(layout.blocks);
  const items: Item[] = [];
  const repositories: Uint8Array[] = [];
  let packages = 0;
  const earlier = Map.groupBy(stateNumbers(layout).toReversed().flatMap((number) => packagesOf(layout, number)), (each) => each.name);
  const installed = Map.groupBy(activeState(layout)?.packages ?? [], ({ repository }) => repository);
  for (const { name, fingerprint, index } of known) {
    const entries = new PackageIndex(index);
    let listed = 0;
    for (const each of installed.get(name) ?? []) {
      if (!isNewest(entries, each) || !(await store.manifest(each.manifest)).policy.announce) continue;
      items.push(...(await itemsOf(store, blocks, each)));
      for (const other of earlier.get(each.name) ?? []) if (other.repository === each.repository) items.push(...(await basesOf(store, other)));
      listed++;
    }
    if (listed > 0) repositories.push(fingerprint);
    packages += listed;
  }
  return { index: new ContentIndex(items), repositories, packages };
}

/** Whether the repository has nothing newer, and lets it be announced. */
function isNewest(index: PackageIndex, { name, architecture, manifest }: InstalledPackage): boolean {
  const newest = index.candidates(name).find((candidate) => candidate.architecture === architecture);
  return newest !== undefined && newest.announce && newest.manifest === manifest.toString();
}

/** A state whose record is damaged has nothing that is served. */
function packagesOf(layout: Layout, number: number): InstalledPackage[] {
  try {
    return readStateFile(layout.state(number)).packages;
  } catch (error) {
    if (error instanceof MossError && error.code !== 'bug') return [];
    throw error;
  }
}

/** The files of another version that some state still has: what deltas to the newest may start from. */
async function basesOf(store: PackageStore, { manifest, components }: InstalledPackage): Promise<Item[]> {
  const chosen = new Set(components);
  try {
    const { manifest: { policy }, parts } = await store.load(manifest, (component) => chosen.has(component));
    return policy.announce ? parts.flatMap(({ table }) => filesOf(table, ['earlier file', 'earlier executable'])) : [];
  } catch (error) {
    if (error instanceof MossError && error.code !== 'bug') return [];
    throw error;
  }
}

function filesOf({ entries }: Table, [plain, executable]: readonly [Place, Place]): Item[] {
  return entries.flatMap((entry): Item[] => {
    if (entry.type !== 'file') return [];
    const { multihash, code } = parseCid(entry.id);
    return [{ digest: multihash.digest, codec: code, place: isExecutable(entry.mode) ? executable : plain, size: entry.size }];
  });
}

async function itemsOf(store: PackageStore, blocks: BlockDirectory, installed: InstalledPackage): Promise<Item[]> {
  const chosen = new Set(installed.components);
  const { manifest, parts } = await store.load(installed.manifest, (component) => chosen.has(component));
  const block = (cid: Cid): Item[] => {
    const size = statSync(blocks.pathOf(cid), { throwIfNoEntry: false })?.size;
    return size === undefined ? [] : [{ digest: cid.multihash.digest, codec: cid.code, place: 'block', size }];
  };
  const items = block(installed.manifest);
  for (const { table } of manifest.components.flatMap((component) => component.parts)) {
    const cid = asCid(table);
    if (cid !== undefined) items.push(...block(cid));
  }
  if (manifest.dictionary !== undefined) items.push(...block(manifest.dictionary.frame.cid));
  for (const { table } of parts) items.push(...filesOf(table, ['file', 'executable']));
  return items;
}
