/** Which blocks of earlier revisions can go: what only their indexes are made of, once nobody can be in the middle of them. */
import { rmSync, statSync } from 'node:fs';
import type { Cid } from '../../core/dag/cid.ts';
import type { Root } from '../../core/dag/root.ts';
import { MossError } from '../../core/error.ts';
import type { Repository } from './site.ts';

/** Milliseconds for which a revision can be fetched after the next one was published: a client may be slow, or offline in between. */
export const INDEX_GRACE = 7 * 24 * 60 * 60 * 1000;

/**
 * Removes the index frames of revisions that were superseded before the grace and that no delta of the newest index leads from.
 * Roots, manifests and packages stay.
 *
 * @param newest the root that was signed last
 * @param now milliseconds since the epoch
 * @returns how many blocks were removed
 */
export async function pruneIndexes(repository: Repository, newest: Root, now: number): Promise<number> {
  const bases = new Set(newest.index.deltas.map(({ root }) => root.toString()));
  const needed = new Set(indexBlocks(newest).map(String));
  const old: Cid[] = [];
  let superseded = now;
  for await (const { cid, root } of earlierRoots(repository, newest)) {
    const blocks = indexBlocks(root);
    const isFresh = superseded > now - INDEX_GRACE;
    superseded = statSync(repository.blocks.pathOf(cid)).mtimeMs;
    if (isFresh || bases.has(cid.toString())) {
      for (const block of blocks) needed.add(block.toString());
      continue;
    }
    const there = await Promise.all(blocks.map((block) => repository.blocks.has(block)));
    // What is before a revision that was pruned was pruned with it.
    if (!there.includes(true)) break;
    old.push(...blocks);
  }
  const gone = new Set(old.map(String).filter((cid) => !needed.has(cid)));
  for (const block of old) if (gone.has(block.toString())) rmSync(repository.blocks.pathOf(block), { force: true });
  return gone.size;
}

function indexBlocks({ index }: Root): Cid[] {
  return [...index.frames, ...index.deltas.flatMap(({ frames }) => frames)].map(({ cid }) => cid);
}

/** The revisions before one, the nearest first, as far back as the site has them. */
async function* earlierRoots(repository: Repository, newest: Root): AsyncGenerator<{ cid: Cid; root: Root }> {
  for (let cid = newest.previous; cid !== undefined; ) {
    let root: Root;
    try {
      root = await repository.root(cid);
    } catch (error) {
      if (error instanceof MossError) return;
      throw error;
    }
    yield { cid, root };
    cid = root.previous;
  }
}
