/** From the order of what to hold to a list of blocks that fits. */
import { MAX_BLOCK_SIZE } from '../dag/block.ts';
import { asCid, parseCid, type Cid } from '../dag/cid.ts';
import { decodeManifest, type Manifest } from '../dag/manifest.ts';
import { MossError } from '../error.ts';
import type { IndexEntry } from '../repo/index-entry.ts';
import type { Catalog, Obtain } from './catalog.ts';
import type { ListedBlock } from './shelf.ts';

export interface PlannedPackage {
  readonly entry: IndexEntry;
  readonly blocks: readonly ListedBlock[];
}

export interface HoldingPlan {
  /** Every block that is to be held, by the text of its CID, in the order in which they are worth having. */
  readonly blocks: ReadonlyMap<string, ListedBlock>;
  readonly packages: readonly PlannedPackage[];
  /** Blocks that were read to make the plan and are part of it. */
  readonly read: ReadonlyMap<string, Uint8Array>;
  /** Bytes of all blocks. */
  readonly bytes: number;
}

/** Manifests that are fetched at once. */
const BATCH = 16;
/** Packages in a row that did not fit, after which there is no room for any. */
const MISSES = 64;

/**
 * Takes packages in order, each whole or not at all, as long as they fit into the quota. A block that several have
 * counts once. The root and the index come first: without them nobody can install anything.
 */
export async function planHoldings(catalog: Catalog, order: readonly IndexEntry[], { quota, obtain }: { quota: number; obtain: Obtain }): Promise<HoldingPlan> {
  const blocks = new Map<string, ListedBlock>();
  const read = new Map<string, Uint8Array>();
  const packages: PlannedPackage[] = [];
  let bytes = 0;
  const add = (list: readonly ListedBlock[]): boolean => {
    const fresh = new Map(list.filter(({ cid }) => !blocks.has(cid.toString())).map((block) => [block.cid.toString(), block]));
    const size = [...fresh.values()].reduce((sum, block) => sum + block.size, 0);
    if (bytes + size > quota) return false;
    for (const [key, block] of fresh) blocks.set(key, block);
    bytes += size;
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
      if (bytes + entry.download <= quota) batch.push(entry);
      else misses++;
    }
    const manifests = await obtain(batch.map(({ manifest }) => ({ cid: parseCid(manifest), maxBytes: MAX_BLOCK_SIZE })));
    for (const entry of batch) {
      const bytesOf = manifests.get(entry.manifest);
      if (bytesOf === undefined) throw new MossError('bug', 'a manifest was obtained and is not there');
      const manifest = decodeManifest(bytesOf);
      const list = [{ cid: parseCid(entry.manifest), size: bytesOf.length }, ...blocksOf(manifest)];
      if (!manifest.policy.announce || !add(list)) {
        misses++;
        continue;
      }
      misses = 0;
      packages.push({ entry, blocks: [...new Map(list.map((block) => [block.cid.toString(), block])).values()] });
      read.set(entry.manifest, bytesOf);
    }
  }
  return { blocks, packages, read, bytes };
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
