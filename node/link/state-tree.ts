/** Builds the tree of a state: directories, links into the store, symbolic links; and the top of a root. */
import { chmodSync, chownSync, closeSync, constants, copyFileSync, existsSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { linkTarget } from '../../core/dag/path.ts';
import type { Entry, Owner } from '../../core/dag/entry.ts';
import type { TreeEntry } from '../../core/install/tree.ts';
import { MossError } from '../../core/error.ts';
import { isExecutable } from '../store/modes.ts';
import type { Layout } from '../store/layout.ts';
import type { StorePool } from '../store/staging.ts';
import type { LinkMethod, Special } from './link-files.ts';
import { LinkPacker } from './packed-links.ts';
import { brokenLinks, rootLinks, stateLinks, type BrokenLink } from './top-links.ts';

/** Entries handed to a worker at a time: enough to keep it busy for some milliseconds. */
const BATCH = 512;
/** The modes of store files; anything else needs an inode of its own. */
const COMMON_MODES: ReadonlySet<number> = new Set([0o644, 0o755, 0o444, 0o555, 0o664, 0o775]);

export interface StateTreeOptions {
  layout: Layout;
  pool: StorePool;
  method: LinkMethod;
  onProgress?: (entries: number) => void;
}

/**
 * Links the entries of a tree below `directory`, which must not exist.
 *
 * @param entries in path order
 */
export async function buildStateTree(directory: string, entries: readonly TreeEntry[], options: StateTreeOptions): Promise<void> {
  const { layout, pool, method, onProgress } = options;
  mkdirSync(directory, { recursive: true });
  const isRoot = process.getuid?.() === 0;
  const jobs: Promise<unknown>[] = [];
  let part = new LinkPacker(directory);
  const flush = (): void => {
    const { links, size } = part;
    if (size > 0) jobs.push(pool.run({ kind: 'link', root: layout.root, method, packed: part.pack() }).then(() => onProgress?.(links)));
    part = new LinkPacker(directory);
  };
  const restricted: { path: string; entry: Extract<Entry, { type: 'directory' }> }[] = [];
  for (const { entry } of entries) {
    if (entry.type === 'directory') {
      if (entry.mode !== 0o755 || entry.owner !== undefined) restricted.push({ path: `${directory}/${entry.path}`, entry });
      part.addDirectory(entry.path);
    } else if (entry.type === 'symlink') part.addSymlink(entry.path, linkTarget(entry.path, entry.target));
    else part.addFile(entry.path, entry.id, isExecutable(entry.mode), specialOf(entry.mode, entry.owner, isRoot));
    if (part.size >= BATCH) flush();
  }
  flush();
  await Promise.all(jobs);
  // Modes last: a directory without write permission could not be filled.
  for (const { path, entry } of restricted.toReversed()) {
    if (isRoot && entry.owner !== undefined) chownSync(path, entry.owner.uid, entry.owner.gid);
    chmodSync(path, isRoot ? entry.mode : entry.mode | 0o700);
  }
  for (const [name, target] of stateLinks(entries)) symlinkSync(target, `${directory}/${name}`);
}

/** What a file needs beyond a link into the store; `undefined` for the modes that store files stand for. */
export function specialOf(mode: number, owner: Owner | undefined, isRoot: boolean): Special | undefined {
  if (COMMON_MODES.has(mode) && (owner === undefined || !isRoot)) return undefined;
  return { mode, ...(isRoot && owner !== undefined && { uid: owner.uid, gid: owner.gid }) };
}

/**
 * The links at the top of a root that lead into the active state: `usr`, its aliases, and whatever else states hold.
 * They are made once; activating another state does not touch them. With `dryRun` nothing is made.
 *
 * @throws MossError `exists` when something else is in the way
 */
export function linkRoot(root: string, entries: readonly TreeEntry[], { dryRun = false } = {}): void {
  for (const link of brokenLinks(root, rootLinks(entries))) {
    if (link.problem !== 'missing') throw inTheWay(link);
    if (!dryRun) symlinkSync(link.target, link.path);
  }
}

/**
 * Puts links at the top right.
 *
 * @throws MossError `exists` where something stands in the place of one: it may be the user's
 */
export function mendLinks(links: Iterable<BrokenLink>): void {
  for (const link of links) {
    if (link.problem === 'type') throw inTheWay(link);
    rmSync(link.path, { force: true });
    symlinkSync(link.target, link.path);
  }
}

function inTheWay({ path, target }: BrokenLink): MossError {
  return new MossError('exists', `${path} is in the way: moss keeps a link to ${target} there`, {
    hint: 'Choose an empty directory as the root with -D, or move what is there.',
    data: { path },
  });
}

/** How files get from the store into a state on this file system. */
export function chooseLinkMethod(layout: Layout): LinkMethod {
  const from = join(layout.moss, `.reflink-${process.pid}`);
  const to = `${from}-copy`;
  try {
    writeFileSync(from, 'moss');
    copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE);
    return 'reflink';
  } catch {
    return 'hardlink';
  } finally {
    rmSync(from, { force: true });
    rmSync(to, { force: true });
  }
}

/** Whether two names that differ by case only are one file here. */
export function foldsCase(directory: string): boolean {
  const probe = join(directory, `.case-${process.pid}`);
  closeSync(openSync(probe, 'w'));
  try {
    return existsSync(join(dirname(probe), `.CASE-${process.pid}`));
  } finally {
    rmSync(probe, { force: true });
  }
}
