/**
 * Where a repository lists its deltas: a tree of small blocks over the names of packages, so that a machine reads only
 * those of the packages that it updates, and a revision shares the blocks that did not change. Who installs something
 * for the first time reads none of it.
 */
import { MossError } from '../error.ts';
import type { Hasher } from '../ports/hasher.ts';
import { cborBlock, MAX_BLOCK_SIZE, sameBytes, type Block } from './block.ts';
import { asCid, checkCid, type Cid } from './cid.ts';
import { decodeCbor } from './codec.ts';
import { Fields } from './fields.ts';

/** One delta of a package. */
export interface DeltaRef {
  /** The first bytes of the digests of the two manifests: the delta itself names them in full. */
  from: Uint8Array;
  to: Uint8Array;
  cid: Cid;
  /** Bytes of the delta's block. */
  size: number;
}

/** Deltas by the name of their package. */
export type DeltaMap = ReadonlyMap<string, readonly DeltaRef[]>;

/** Bytes of a digest that tell manifests apart. */
const PREFIX = 8;
/** Names in a leaf, on average: about 2 KB where each has three deltas. */
const SPAN = 12;
/** Children of a node, on average. */
const FANOUT = 32;
/** Levels that a reader goes down: far more than any repository has. */
const MAX_DEPTH = 12;

type Node = { leaf: Map<string, DeltaRef[]> } | { children: { first: string; cid: Cid }[] };

/** What of a manifest's CID a reference holds. */
export function prefixOf(manifest: Cid): Uint8Array {
  return manifest.multihash.digest.slice(0, PREFIX);
}

/** The delta of a list that leads from one manifest to another. */
export function findDelta(deltas: readonly DeltaRef[], from: Cid, to: Cid): DeltaRef | undefined {
  return deltas.find((each) => sameBytes(each.from, prefixOf(from)) && sameBytes(each.to, prefixOf(to)));
}

/** The blocks of a map, the top one last; none where there are no deltas. */
export async function deltaMapBlocks(map: DeltaMap, hasher: Hasher): Promise<Block[]> {
  const blocks: Block[] = [];
  const add = async (value: unknown): Promise<Cid> => {
    const block = await cborBlock(value, hasher);
    blocks.push(block);
    return block.cid;
  };
  const names = [...map.keys()].filter((name) => (map.get(name)?.length ?? 0) > 0).toSorted();
  if (names.length === 0) return blocks;
  let level: { first: string; cid: Cid }[] = [];
  for (const run of cut(names, (name) => name, SPAN)) {
    const leaf = run.map((name) => [name, (map.get(name) ?? []).map(({ from, to, cid, size }) => [from, to, cid, size])]);
    level.push({ first: run[0] ?? '', cid: await add({ deltas: leaf }) });
  }
  while (level.length > 1) {
    const above: typeof level = [];
    for (const run of cut(level, ({ first }) => first, FANOUT)) {
      above.push({ first: run[0]?.first ?? '', cid: await add({ children: run.map(({ first, cid }) => [first, cid]) }) });
    }
    level = above;
  }
  return blocks;
}

/** Runs whose borders depend on the names alone, so that a new name moves none but its own. */
function cut<T>(items: readonly T[], nameOf: (item: T) => string, span: number): T[][] {
  const runs: T[][] = [];
  let run: T[] = [];
  for (const item of items) {
    run.push(item);
    // At least two, so that each level is smaller than the one below.
    if (run.length >= 2 && (run.length >= 8 * span || fnv1a(nameOf(item)) % span === 0)) {
      runs.push(run);
      run = [];
    }
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

/**
 * The deltas of some packages.
 *
 * @param get the bytes of blocks, each verified: all that are asked for at a time
 * @throws MossError `bad-index`
 */
export async function lookUpDeltas(top: Cid, names: Iterable<string>, get: (cids: readonly Cid[]) => Promise<Uint8Array[]>): Promise<Map<string, DeltaRef[]>> {
  const found = new Map<string, DeltaRef[]>();
  let wanted: { cid: Cid; names: string[] }[] = [{ cid: top, names: [...new Set(names)] }];
  for (let depth = 0; wanted.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw new MossError('bad-index', 'the list of deltas has no end');
    const blocks = await get(wanted.map(({ cid }) => cid));
    const next: typeof wanted = [];
    for (const [i, { names: some }] of wanted.entries()) {
      const node = decodeNode(blocks[i] ?? new Uint8Array());
      if ('leaf' in node) {
        for (const name of some) {
          const deltas = node.leaf.get(name);
          if (deltas !== undefined) found.set(name, deltas);
        }
        continue;
      }
      const byChild = Map.groupBy(some, (name) => node.children.findLastIndex(({ first }) => first <= name));
      for (const [at, below] of byChild) {
        const child = node.children[at];
        if (child !== undefined) next.push({ cid: child.cid, names: below });
      }
    }
    wanted = next;
  }
  return found;
}

/** All deltas of a map: what a publisher carries over. */
export async function readDeltaMap(top: Cid, get: (cid: Cid) => Promise<Uint8Array>, depth = 0): Promise<Map<string, DeltaRef[]>> {
  if (depth > MAX_DEPTH) throw new MossError('bad-index', 'the list of deltas has no end');
  const node = decodeNode(await get(top));
  if ('leaf' in node) return node.leaf;
  const all = new Map<string, DeltaRef[]>();
  for (const { cid } of node.children) for (const [name, deltas] of await readDeltaMap(cid, get, depth + 1)) all.set(name, deltas);
  return all;
}

function decodeNode(bytes: Uint8Array): Node {
  const fields = new Fields(decodeCbor(bytes, 'bad-index', 'a list of deltas'), 'bad-index', 'list of deltas');
  if (!fields.has('children')) return { leaf: new Map(fields.list('deltas').map((item) => decodeItem(item, fields))) };
  const children = fields.list('children').map((item) => {
    const [first, link] = Array.isArray(item) ? (item as unknown[]) : [];
    const cid = asCid(link);
    if (typeof first !== 'string' || cid === undefined) throw fields.wrong('children', 'made of names and links');
    checkCid(cid);
    return { first, cid };
  });
  return { children };
}

function decodeItem(item: unknown, fields: Fields): [string, DeltaRef[]] {
  const [name, list] = Array.isArray(item) ? (item as unknown[]) : [];
  if (typeof name !== 'string' || !Array.isArray(list)) throw fields.wrong('deltas', 'made of names and lists');
  const deltas = (list as unknown[]).map((each): DeltaRef => {
    const [from, to, link, size] = Array.isArray(each) ? (each as unknown[]) : [];
    const cid = asCid(link);
    if (!isPrefix(from) || !isPrefix(to) || cid === undefined || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 1 || size > MAX_BLOCK_SIZE) {
      throw fields.wrong('deltas', 'made of digests, links and sizes');
    }
    checkCid(cid);
    return { from, to, cid, size };
  });
  return [name, deltas];
}

function isPrefix(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === PREFIX;
}

/** FNV-1a, 32 bits, over UTF-16 code units: a border needs no strength. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
