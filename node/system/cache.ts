/** What a root keeps beside its states: how much it is, and what of it nobody needs any more. */
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { InstalledPackage } from '../../core/install/state.ts';
import { isExecutable } from '../store/modes.ts';
import type { Layout } from '../store/layout.ts';
import { syncPath } from '../store/durable.ts';
import { bytesOnDisk, Freed, type Amount } from './freed.ts';
import { stateNumbers } from './installed.ts';
import type { PackageStore } from './package-store.ts';
import { readStateFile } from './state-file.ts';

/** The parts of a root that can be made smaller: see `Layout`. */
export const CACHE_PARTS = ['store', 'symlinks', 'blocks', 'staging', 'quarantine'] as const;
export type CachePart = (typeof CACHE_PARTS)[number];
export type CacheSizes = Record<CachePart, Amount>;

export function measureCache(layout: Layout): CacheSizes {
  return sizesOf((part) => {
    const amount: Amount = { files: 0, bytes: 0 };
    for (const path of filesBelow(layout[part])) {
      amount.files++;
      amount.bytes += bytesOnDisk(lstatSync(path));
    }
    return amount;
  });
}

export interface PruneOptions {
  layout: Layout;
  packages: PackageStore;
  /** Which parts to look through. */
  parts: readonly CachePart[];
  /** States that are about to go: what only they need goes too. */
  without?: ReadonlySet<number>;
  /** Packages of a change that is about to be made: what they need stays, manifests that were just fetched among it. */
  coming?: readonly InstalledPackage[] | undefined;
  /** What of their trees has been counted: hard links of the same files. */
  freed?: Freed;
  signal?: AbortSignal | undefined;
}

export interface Prunable {
  paths: string[];
  /** Where they are, by part; with `freed`, all of it together is there. */
  sizes: CacheSizes;
}

/**
 * What no state needs. Whoever calls it to remove it has the lock: a transaction that is under way fills the store
 * before its state is there.
 *
 * @throws MossError `damaged` when it cannot be told what a state needs
 */
export async function findPrunable({ layout, packages, parts, without = new Set(), coming = [], freed, signal }: PruneOptions): Promise<Prunable> {
  const staying = stateNumbers(layout).filter((number) => !without.has(number)).map((number) => readStateFile(layout.state(number)).packages);
  const needed = await neededBy(layout, packages, [...staying, coming], signal);
  const paths: string[] = [];
  const sizes = sizesOf((part) => {
    const count = freed ?? new Freed();
    if (!parts.includes(part)) return { files: 0, bytes: 0 };
    for (const path of filesBelow(layout[part])) {
      const stat = lstatSync(path);
      // A state's tree has names of the symbolic links that it needs.
      if (needed.has(path) || (part === 'symlinks' && count.namesLeft(stat) > 1)) continue;
      signal?.throwIfAborted();
      paths.push(path);
      count.take(stat);
    }
    return { files: count.files, bytes: count.bytes };
  });
  return { paths, sizes };
}

export function prune(layout: Layout, { paths }: Prunable): void {
  for (const path of paths) rmSync(path, { force: true });
  if (paths.length > 0) syncPath(layout.moss);
}

export function total(sizes: CacheSizes): Amount {
  const all = CACHE_PARTS.map((part) => sizes[part]);
  return { files: all.reduce((sum, { files }) => sum + files, 0), bytes: all.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** The paths of the store and of the block directory that some states need: content, manifests, tables, dictionaries. */
async function neededBy(layout: Layout, packages: PackageStore, states: readonly (readonly InstalledPackage[])[], signal: AbortSignal | undefined): Promise<Set<string>> {
  const needed = new Set<string>();
  const seen = new Set<string>();
  for (const installed of states) {
    for (const { manifest, components } of installed) {
      const key = `${manifest.toString()} ${components.join(' ')}`;
      if (seen.has(key)) continue;
      seen.add(key);
      signal?.throwIfAborted();
      needed.add(join(layout.blocks, manifest.toString()));
      const chosen = new Set(components);
      const loaded = await packages.load(manifest, (component) => chosen.has(component));
      for (const { parts } of loaded.manifest.components) {
        for (const { table } of parts) if (!(table instanceof Uint8Array)) needed.add(join(layout.blocks, table.toString()));
      }
      // Peers ask for it: files that are compressed against it are of no use to them without.
      const { dictionary } = loaded.manifest;
      if (dictionary !== undefined) needed.add(join(layout.blocks, dictionary.frame.cid.toString()));
      for (const { table } of loaded.parts) {
        for (const entry of table.entries) if (entry.type === 'file') needed.add(layout.stored(entry.id, isExecutable(entry.mode)));
      }
    }
  }
  return needed;
}

function sizesOf(measure: (part: CachePart) => Amount): CacheSizes {
  return { store: measure('store'), symlinks: measure('symlinks'), blocks: measure('blocks'), staging: measure('staging'), quarantine: measure('quarantine') };
}

export function* filesBelow(directory: string): Generator<string> {
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}
