/** The blocks that a machine asks for which updates a package by a delta. */
import { MAX_BLOCK_SIZE, sameBytes } from '../dag/block.ts';
import { parseCid, type Cid } from '../dag/cid.ts';
import { deltaPair, deltaRefs } from '../dag/delta.ts';
import { lookUpDeltas, prefixOf, type DeltaRef } from '../dag/delta-map.ts';
import { MossError } from '../error.ts';
import type { IndexEntry } from '../repo/index-entry.ts';
import type { Obtain } from './catalog.ts';
import type { ListedBlock } from './block-list.ts';

/** Blocks of deltas that are fetched at once. */
const BATCH = 16;

export class DeltaFinder {
  readonly #top: Cid | undefined;
  readonly #obtain: Obtain;
  readonly #read: Map<string, Uint8Array>;

  /**
   * @param top of the tree that lists deltas; `undefined` where there are none
   * @param read takes what was read of it, and is looked into first
   */
  constructor(top: Cid | undefined, { obtain, read }: { obtain: Obtain; read: Map<string, Uint8Array> }) {
    this.#top = top;
    this.#obtain = obtain;
    this.#read = read;
  }

  /**
   * For each delta that leads to one of these: the way to it in the tree, itself, and its frames and tables. None where
   * they cannot be had: an update needs none of them.
   */
  async to(entries: readonly IndexEntry[]): Promise<ListedBlock[][]> {
    const top = this.#top;
    if (top === undefined || entries.length === 0) return [];
    try {
      return await this.#find(top, entries);
    } catch (error) {
      if (error instanceof MossError && error.code !== 'aborted') return [];
      throw error;
    }
  }

  async #find(top: Cid, entries: readonly IndexEntry[]): Promise<ListedBlock[][]> {
    const lists: ListedBlock[][] = [];
    const nodes: ListedBlock[] = [];
    const listed = await lookUpDeltas(top, entries.map(({ name }) => name), async (cids) => {
      const got = await this.#get(cids);
      nodes.push(...cids.map((cid, i) => ({ cid, size: got[i]?.length ?? 0 })));
      return got;
    });
    const wanted = entries.flatMap(({ name, manifest }) => {
      const to = prefixOf(parseCid(manifest));
      return (listed.get(name) ?? []).filter((each) => sameBytes(each.to, to)).map((ref) => ({ ref, manifest }));
    });
    for (let at = 0; at < wanted.length; at += BATCH) {
      const run = wanted.slice(at, at + BATCH);
      const got = await this.#get(run.map(({ ref }) => ref.cid));
      for (const [i, { ref, manifest }] of run.entries()) {
        const list = linkedFrom(ref, manifest, got[i] ?? new Uint8Array());
        if (list !== undefined) lists.push(list);
      }
    }
    return lists.length === 0 ? [] : [nodes, ...lists];
  }

  /** Those that were read before are kept: the upper nodes are those of all packages. */
  async #get(cids: readonly Cid[]): Promise<Uint8Array[]> {
    const missing = cids.filter((cid) => !this.#read.has(cid.toString()));
    for (const [key, bytes] of await this.#obtain(missing.map((cid) => ({ cid, maxBytes: MAX_BLOCK_SIZE })))) this.#read.set(key, bytes);
    return cids.map((cid) => {
      const bytes = this.#read.get(cid.toString());
      if (bytes === undefined) throw new MossError('bug', 'a block was obtained and is not there');
      return bytes;
    });
  }
}

/** None for a delta that cannot be read, or is of another package: nobody could use it. */
function linkedFrom({ cid }: DeltaRef, manifest: string, bytes: Uint8Array): ListedBlock[] | undefined {
  try {
    if (deltaPair(bytes).to.toString() !== manifest) return undefined;
    return [{ cid, size: bytes.length }, ...deltaRefs(bytes).map((each) => ({ cid: each.cid, size: each.size }))];
  } catch {
    return undefined;
  }
}
