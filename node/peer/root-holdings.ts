/** What a root serves: listed by a policy, read from the store as it lies there. Nothing is kept twice. */
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { DAG_PB, type Cid } from '../../core/dag/cid.ts';
import { asFileId, LEAF_SIZE, leafCount } from '../../core/dag/file-id.ts';
import { MossError } from '../../core/error.ts';
import type { Content, DeltaEnd, DeltaEnds, Holdings, Wanted } from '../../core/ports/holdings.ts';
import { nodeHasher } from '../hasher.ts';
import { isAsLeft } from '../store/files.ts';
import type { Layout } from '../store/layout.ts';
import { BlockDirectory } from '../store/block-directory.ts';
import { ContentIndex, type Listed } from './content-index.ts';
import type { Listing } from './listing.ts';
import { gunzip, readRun, readWhole, unpackedSize } from './read-run.ts';

/** Files whose links are remembered: computing them reads the whole file. */
const REMEMBERED_LINKS = 256;
const NOTHING: Listing = { index: new ContentIndex([]), repositories: [], packages: 0 };

export class RootHoldings implements Holdings {
  readonly frames = false;
  readonly files = true;
  readonly #layout: Layout;
  readonly #blocks: BlockDirectory;
  readonly #links = new Map<string, Promise<Uint8Array>>();
  #listing = NOTHING;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#blocks = new BlockDirectory(layout.blocks);
  }

  get repositories(): readonly Uint8Array[] {
    return this.#listing.repositories;
  }

  get listing(): Listing {
    return this.#listing;
  }

  /** What is served from now on. */
  set listing(listing: Listing) {
    this.#listing = listing;
  }

  find(wanted: Wanted): Content | undefined | Promise<Content | undefined> {
    const cid = wanted.kind === 'block' ? wanted.cid : wanted.file;
    const listed = this.#listing.index.find(cid.multihash.digest, cid.code);
    if (listed === undefined || isEarlier(listed)) return undefined;
    if (wanted.kind === 'block') return listed.size > LEAF_SIZE && cid.code === DAG_PB ? undefined : this.#content(cid, listed);
    if (cid.code !== DAG_PB || listed.place === 'block') return undefined;
    return wanted.kind === 'leaf' ? this.#leaf(cid, listed, wanted.index) : this.#linksOf(cid, listed);
  }

  findEnds(file: Cid, base: Cid, unpacked: boolean): DeltaEnds | undefined {
    const [target, from] = [this.#end(file, unpacked), this.#end(base, unpacked)];
    return target === undefined || from === undefined || target.isEarlier ? undefined : { target, base: from };
  }

  #end(cid: Cid, unpacked: boolean): (DeltaEnd & { isEarlier: boolean }) | undefined {
    const listed = this.#listing.index.find(cid.multihash.digest, cid.code);
    if (listed === undefined || listed.place === 'block') return undefined;
    const path = this.#pathOf(cid, listed);
    if (!looksRight(path, listed)) return undefined;
    const end = { key: cid.toString(), size: listed.size, isEarlier: isEarlier(listed), read: () => readWhole(path, listed.size) };
    if (!unpacked) return end;
    const size = unpackedSize(path, listed.size);
    return size === undefined ? undefined : { ...end, key: `${end.key} unpacked`, size, read: async () => gunzip(await end.read(), size) };
  }

  #content(cid: Cid, listed: Listed): Content | undefined {
    const path = this.#pathOf(cid, listed);
    return looksRight(path, listed) ? { size: listed.size, compressible: listed.place !== 'block', read: reader(path, 0) } : undefined;
  }

  #leaf(cid: Cid, listed: Listed, index: number): Content | undefined {
    if (index >= leafCount(listed.size)) return undefined;
    const path = this.#pathOf(cid, listed);
    const at = index * LEAF_SIZE;
    return looksRight(path, listed) ? { size: Math.min(LEAF_SIZE, listed.size - at), compressible: true, read: reader(path, at) } : undefined;
  }

  async #linksOf(cid: Cid, listed: Listed): Promise<Content | undefined> {
    const path = this.#pathOf(cid, listed);
    if (!looksRight(path, listed)) return undefined;
    const key = cid.toString();
    const known = this.#links.get(key);
    const links = known ?? hashLeaves(path, listed.size);
    // Last used, last forgotten.
    this.#links.delete(key);
    this.#links.set(key, links);
    for (const oldest of this.#links.keys()) {
      if (this.#links.size <= REMEMBERED_LINKS) break;
      this.#links.delete(oldest);
    }
    try {
      const bytes = await links;
      return { size: bytes.length, compressible: false, read: (offset, length) => bytes.subarray(offset, offset + length) };
    } catch {
      this.#links.delete(key);
      return undefined;
    }
  }

  #pathOf(cid: Cid, { place }: Listed): string {
    return place === 'block' ? this.#blocks.pathOf(cid) : this.#layout.stored(asFileId(cid), place === 'executable' || place === 'earlier executable');
  }
}

function isEarlier({ place }: Listed): boolean {
  return place === 'earlier file' || place === 'earlier executable';
}

/** Whether a file is there as it was left; a block is checked by whoever asked for it. */
function looksRight(path: string, { place, size }: Listed): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && (place === 'block' ? stat.size === size : isAsLeft(stat, size));
}

function reader(path: string, start: number): Content['read'] {
  return (offset, length, options) => readRun(path, start + offset, length, options?.into);
}

async function hashLeaves(path: string, size: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const links = new Uint8Array(leafCount(size) * 32);
    const leaf = Buffer.allocUnsafe(LEAF_SIZE);
    for (let at = 0, i = 0; at < size; at += LEAF_SIZE, i++) {
      const length = Math.min(LEAF_SIZE, size - at);
      const { bytesRead } = await file.read(leaf, 0, length, at);
      if (bytesRead !== length) throw new MossError('damaged', 'a file of the store is shorter than it was');
      links.set(nodeHasher.sha256(leaf.subarray(0, length)), i * 32);
    }
    return links;
  } finally {
    await file.close();
  }
}
