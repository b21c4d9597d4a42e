/** What a root keeps beside its states: how much it is, and what of it nobody needs any more. */
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isExecutable } from '../store/file-store.ts';
import type { Layout } from '../store/layout.ts';
import { syncPath } from '../store/durable.ts';
import { stateNumbers } from './installed.ts';
import type { PackageStore } from './package-store.ts';
import { readStateFile } from './state-file.ts';

/** Files of one kind, and their bytes. */
export interface Amount {
  files: number;
  bytes: number;
}

/** The parts of a root that can be made smaller: see `Layout`. */
export const CACHE_PARTS = ['store', 'blocks', 'staging', 'quarantine'] as const;
export type CachePart = (typeof CACHE_PARTS)[number];
export type CacheSizes = Record<CachePart, Amount>;

export function measureCache(layout: Layout): CacheSizes {
  return { store: measure(layout.store), blocks: measure(layout.blocks), staging: measure(layout.staging), quarantine: measure(layout.quarantine) };
}

export interface PruneOptions {
  layout: Layout;
  packages: PackageStore;
  /** Which parts to look through. */
  parts: readonly CachePart[];
  /** States that are about to go: what only they need goes too. */
  without?: ReadonlySet<number>;
  /** Only counts. */
  dryRun: boolean;
  signal?: AbortSignal | undefined;
}

/**
 * Takes away what no state needs. Whoever calls it has the lock: a transaction that is under way fills the store
 * before its state is there.
 *
 * @returns what went, or would go with `dryRun`
 * @throws MossError `damaged` when it cannot be told what a state needs
 */
export async function pruneCache({ layout, packages, parts, without = new Set(), dryRun, signal }: PruneOptions): Promise<CacheSizes> {
  const needed = await neededBy(layout, packages, stateNumbers(layout).filter((number) => !without.has(number)), signal);
  const freed: CacheSizes = measureNothing();
  for (const part of parts) {
    for (const path of filesBelow(layout[part])) {
      if (needed.has(path)) continue;
      signal?.throwIfAborted();
      freed[part].files++;
      freed[part].bytes += lstatSync(path).size;
      if (!dryRun) rmSync(path);
    }
    if (!dryRun && freed[part].files > 0) syncPath(layout[part]);
  }
  return freed;
}

export function total(sizes: CacheSizes): Amount {
  const all = CACHE_PARTS.map((part) => sizes[part]);
  return { files: all.reduce((sum, { files }) => sum + files, 0), bytes: all.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** The paths of the store and of the block directory that some states need: content, manifests, tables. */
async function neededBy(layout: Layout, packages: PackageStore, states: readonly number[], signal: AbortSignal | undefined): Promise<Set<string>> {
  const needed = new Set<string>();
  const seen = new Set<string>();
  for (const number of states) {
    for (const { manifest, components } of readStateFile(layout.state(number)).packages) {
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
      for (const { table } of loaded.parts) {
        for (const entry of table.entries) if (entry.type === 'file') needed.add(layout.stored(entry.id, isExecutable(entry.mode)));
      }
    }
  }
  return needed;
}

function measure(directory: string): Amount {
  const amount: Amount = { files: 0, bytes: 0 };
  for (const path of filesBelow(directory)) {
    amount.files++;
    amount.bytes += lstatSync(path).size;
  }
  return amount;
}

function measureNothing(): CacheSizes {
  return {
    store: { files: 0, bytes: 0 },
    blocks: { files: 0, bytes: 0 },
    staging: { files: 0, bytes: 0 },
    quarantine: { files: 0, bytes: 0 },
  };
}

function* filesBelow(directory: string): Generator<string> {
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}
