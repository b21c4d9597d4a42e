/** The deltas of a revision: from the releases before each newest one, as many as are wanted and pay. */
import { availableParallelism } from 'node:os';
import { parseCid, type Cid } from '../../../core/dag/cid.ts';
import { deltaRefs } from '../../../core/dag/delta.ts';
import { deltaMapBlocks, prefixOf, type DeltaRef } from '../../../core/dag/delta-map.ts';
import type { Listener } from '../../../core/install/event.ts';
import { compareNewestFirst, type IndexEntry } from '../../../core/repo/index-entry.ts';
import { nodeHasher } from '../../hasher.ts';
import { Pool, workerUrl } from '../../threads/pool.ts';
import type { Repository } from '../site.ts';
import { DeltaCache } from './delta-cache.ts';
import type { DeltaResult, DeltaTask } from './delta-worker.ts';

export interface DeltaOptions {
  /** Releases before the newest one that deltas lead from; 0 makes none. */
  releases: number;
  /** The most bytes that the deltas of a package may have together, as a share of its full frames. */
  share: number;
}

export const DEFAULT_DELTAS: DeltaOptions = { releases: 3, share: 1 };

export interface Deltas {
  /** The top of the tree that lists them. */
  top: Cid | undefined;
  /** How many there are, how many were made now, and the bytes of all of them with their frames. */
  count: number;
  made: number;
  bytes: number;
}

export interface DeltasOptions extends DeltaOptions {
  /** All packages of the new revision, and of the one before. */
  entries: readonly IndexEntry[];
  before: readonly IndexEntry[];
  onEvent: Listener;
  signal?: AbortSignal | undefined;
}

interface Pair {
  name: string;
  from: string;
  to: IndexEntry;
}

export async function makeDeltas(repository: Repository, options: DeltasOptions): Promise<Deltas> {
  const { entries, before, releases, share, onEvent, signal } = options;
  const pairs = releases === 0 ? [] : pairsOf(entries, before, releases);
  const cache = new DeltaCache(repository.cache);
  const pool = new Pool<DeltaTask, DeltaResult | undefined>(workerUrl(import.meta.url, './delta-worker'), {
    size: Math.max(1, availableParallelism()),
    onEvent: (bytes) => {
      if (typeof bytes === 'number') onEvent({ type: 'done', unit: 'bytes', count: bytes });
    },
    signal,
  });
  let made = 0;
  try {
    const one = async ({ from, to }: Pair): Promise<DeltaResult | undefined> => {
      const known = cache.get(from, to.manifest);
      if (known === 'none') return undefined;
      if (known !== undefined && (await repository.holds(parseCid(known.cid), (bytes) => deltaRefs(bytes).map(({ cid }) => cid)))) return known;
      const result = await pool.run({ from, to: to.manifest, blocks: repository.blocks.directory, work: repository.work });
      cache.set(from, to.manifest, result);
      made++;
      return result;
    };
    const results = await Promise.all(pairs.map(async (pair) => ({ pair, result: await one(pair) })));
    const { map, bytes, count } = listDeltas(results, share);
    const blocks = await deltaMapBlocks(map, nodeHasher);
    for (const block of blocks) await repository.blocks.put(block.cid, block.bytes);
    return { top: blocks.at(-1)?.cid, count, made, bytes };
  } finally {
    await pool.close();
    cache.close();
  }
}

/** The newest release of each package with each of those before it, the nearest first. Releases that were taken out a moment ago count. */
function pairsOf(entries: readonly IndexEntry[], before: readonly IndexEntry[], releases: number): Pair[] {
  const pairs: Pair[] = [];
  const earlier = Map.groupBy(before, keyOf);
  for (const [key, versions] of Map.groupBy(entries, keyOf)) {
    const [newest, ...others] = versions.toSorted(compareNewestFirst);
    if (newest === undefined) continue;
    const known = new Map([...others, ...(earlier.get(key) ?? [])].map((each) => [each.manifest, each]));
    const older = [...known.values()].filter((each) => compareNewestFirst(newest, each) < 0).toSorted(compareNewestFirst);
    for (const { manifest } of older.slice(0, releases)) pairs.push({ name: newest.name, from: manifest, to: newest });
  }
  return pairs;
}

/** What is listed for each package, within its share of bytes. */
function listDeltas(results: readonly { pair: Pair; result: DeltaResult | undefined }[], share: number): { map: Map<string, DeltaRef[]>; bytes: number; count: number } {
  const map = new Map<string, DeltaRef[]>();
  let bytes = 0;
  let count = 0;
  for (const group of Map.groupBy(results, ({ pair }) => pair.to).values()) {
    const [first] = group;
    if (first === undefined) continue;
    const { name, to } = first.pair;
    let room = to.download * share;
    const list: DeltaRef[] = [];
    for (const { pair, result } of group) {
      if (result === undefined || result.size + result.frames > room) continue;
      room -= result.size + result.frames;
      bytes += result.size + result.frames;
      list.push({ from: prefixOf(parseCid(pair.from)), to: prefixOf(parseCid(to.manifest)), cid: parseCid(result.cid), size: result.size });
    }
    count += list.length;
    if (list.length > 0) map.set(name, [...(map.get(name) ?? []), ...list]);
  }
  return { map, bytes, count };
}

function keyOf({ name, architecture, format }: IndexEntry): string {
  return `${name}\0${architecture}\0${format}`;
}
