/** From the order of what to hold to a list of blocks that fits. */
import { MAX_BLOCK_SIZE } from '../dag/block.ts';
import { asCid, parseCid, type Cid } from '../dag/cid.ts';
import { decodeManifest, type Manifest } from '../dag/manifest.ts';
import { MossError } from '../error.ts';
import type { IndexEntry } from '../repo/index-entry.ts';
import type { Catalog, Obtain } from './catalog.ts';
import { BlockList, type ListedBlock } from './block-list.ts';
import { DeltaFinder } from './delta-finder.ts';

export interface PlannedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Of all its blocks; its deltas aside. */
  readonly bytes: number;
}

export interface HoldingPlan {
  /** Every block that is to be held, in the order in which they are worth having; its owners are numbers of packages. */
  readonly blocks: BlockList;
  readonly packages: readonly PlannedPackage[];
}

export interface PlannedHoldings extends HoldingPlan {
  /** Blocks that were read to make the plan, by the text of their CID: some are part of it. */
  readonly read: ReadonlyMap<string, Uint8Array>;
}

/** Manifests that are fetched at once. */
const BATCH = 16;
/** Packages in a row that did not fit, after which there is no room for any. */
const MISSES = 64;

/**
 * Takes packages in order, each whole or not at all, as long as they fit into the quota, and with each the deltas that
 * lead to it. A block that several have counts once. The root and the index come first: without them nobody can install
 * anything.
 */
export async function planHoldings(catalog: Catalog, order: readonly IndexEntry[], { quota, obtain }: { quota: number; obtain: Obtain }): Promise<PlannedHoldings> {
  const blocks = new BlockList();
  const read = new Map<string, Uint8Array>();
  const packages: PlannedPackage[] = [];
  const deltas = new DeltaFinder(catalog.root.deltas, { obtain, read });
  /** All of them, or none. */
  const add = (list: readonly ListedBlock[], owner?: number): boolean => {
    const fresh = new Map(list.filter(({ cid }) => blocks.find(cid) === undefined).map((block) => [block.cid.toString(), block.size]));
    if (blocks.bytes + sumOf(fresh.values()) > quota) return false;
    for (const block of list) blocks.add(block, owner);
    return true;
  };
  add(common(catalog));
  let misses = 0;
  let at = 0;
  while (misses < MISSES && at < order.length) {
    const batch: IndexEntry[] = [];
    for (; at < order.length && batch.length < BATCH && misses < MISSES; at++) {
      const entry = order[at];
      if (entry === undefined || !entry.announce) continue;
      // What is too large by what the index says need not be looked at.
      if (blocks.bytes + entry.download <= quota) batch.push(entry);
      else misses++;
    }
    const manifests = await obtain(batch.map(({ manifest }) => ({ cid: parseCid(manifest), maxBytes: MAX_BLOCK_SIZE })));
    const taken: IndexEntry[] = [];
    for (const entry of batch) {
      const bytesOf = manifests.get(entry.manifest);
      if (bytesOf === undefined) throw new MossError('bug', 'a manifest was obtained and is not there');
      const manifest = decodeManifest(bytesOf);
      const list = [{ cid: parseCid(entry.manifest), size: bytesOf.length }, ...blocksOf(manifest)];
      if (!manifest.policy.announce || !add(list, packages.length)) {
        misses++;
        continue;
      }
      misses = 0;
      const { name, version, architecture } = entry;
      packages.push({ name, version, architecture, bytes: sumOf(new Map(list.map(({ cid, size }) => [cid.toString(), size])).values()) });
      read.set(entry.manifest, bytesOf);
      taken.push(entry);
    }
    // Updates are what most people fetch, and their deltas are small: what there is no room for is left out.
    for (const list of await deltas.to(taken)) add(list);
  }
  return { blocks, packages, read };
}

function sumOf(sizes: Iterable<number>): number {
  let sum = 0;
  for (const size of sizes) sum += size;
  return sum;
}

/** What every client asks for first. Deltas of the index lead from the revisions before. */
function common({ root, rootCid, rootSize }: Catalog): ListedBlock[] {
  const frames = [...root.index.frames, ...root.index.deltas.flatMap((delta) => delta.frames)];
  return [{ cid: rootCid, size: rootSize }, ...frames.map(({ cid, size }) => ({ cid, size }))];
}

/** Every block that a client may ask for to install the package, its manifest aside. */
export function blocksOf(manifest: Manifest): ListedBlock[] {
  const parts = manifest.components.flatMap((component) => component.parts);
  const tables = parts.flatMap(({ table, tableSize }) => linked(asCid(table), tableSize));
  const frames = parts.flatMap((part) => part.frames.concat(part.verbatim));
  const all = manifest.dictionary === undefined ? frames : [manifest.dictionary.frame, ...frames];
  return [...tables, ...all.map(({ cid, size }) => ({ cid, size }))];
}

function linked(cid: Cid | undefined, size: number): ListedBlock[] {
  return cid === undefined ? [] : [{ cid, size }];
}
