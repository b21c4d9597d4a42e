/** The tree of a state: the entries of all its packages together. Two packages never hold the same path. */
import type { Entry, LinkEntry } from '../dag/entry.ts';
import type { Alternative } from '../dag/package.ts';
import { comparePaths, type PackagePath } from '../dag/path.ts';
import { MossError } from '../error.ts';

/** A package of a state, with the entries of the components that were chosen. */
export interface TreePackage {
  name: string;
  entries: readonly Entry[];
  alternatives: readonly Alternative[];
  /** Whether this package may take over files of the other one (Debian policy 7.6.1). */
  replaces: (other: string) => boolean;
}

export interface TreeEntry {
  entry: Entry;
  /** The package that it comes from. */
  owner: string;
}

export interface Tree {
  /** What is linked into the state, in path order: parents come before what they hold. */
  system: TreeEntry[];
  /** What belongs to the user once it is there, in path order: `etc/` and other directories that change. */
  user: TreeEntry[];
}

/**
 * Top-level directories that are not part of a state: they hold what users and programs write. Everything else
 * (`usr`, `opt`, `boot`, ...) is replaced as a whole.
 */
export const USER_TOPS: ReadonlySet<string> = new Set([
  'etc', 'var', 'home', 'root', 'srv', 'run', 'tmp', 'mnt', 'media', 'dev', 'proc', 'sys',
]);

/** @throws MossError `conflict`, naming both packages and the path */
export function buildTree(packages: readonly TreePackage[]): Tree {
  const byName = new Map(packages.map((each) => [each.name, each]));
  const merged = new Map<string, TreeEntry>();
  for (const { name, entries } of packages) {
    for (const entry of entries) {
      const there = merged.get(entry.path);
      if (there === undefined || prevails(byName, { entry, owner: name }, there)) merged.set(entry.path, { entry, owner: name });
    }
  }
  for (const link of chooseAlternatives(packages, merged)) merged.set(link.entry.path, link);
  checkParents(merged);
  const system: TreeEntry[] = [];
  const user: TreeEntry[] = [];
  for (const item of [...merged.values()].toSorted((a, b) => comparePaths(a.entry.path, b.entry.path))) {
    (isUsers(item.entry.path) ? user : system).push(item);
  }
  return { system, user };
}

/** Whether a path belongs to the user once it is there. */
export function isUsers(path: string): boolean {
  // As nearly all paths do.
  return !path.startsWith('usr/') && USER_TOPS.has(topOf(path));
}

export function topOf(path: string): string {
  const slash = path.indexOf('/');
  return slash === -1 ? path : path.slice(0, slash);
}

/** Whether `next` takes the path from what is there; directories are shared. */
function prevails(packages: ReadonlyMap<string, TreePackage>, next: TreeEntry, there: TreeEntry): boolean {
  if (next.entry.type === 'directory' && there.entry.type === 'directory') return false;
  if (packages.get(next.owner)?.replaces(there.owner)) return true;
  if (packages.get(there.owner)?.replaces(next.owner)) return false;
  throw new MossError(
    'conflict',
    `${there.owner} and ${next.owner} both hold /${next.entry.path}` +
      (next.entry.type === there.entry.type ? '' : ` (a ${there.entry.type} and a ${next.entry.type})`),
    {
      hint: `Only one of them can be installed: leave out ${there.owner} or ${next.owner}.`,
      data: { path: next.entry.path, package: there.owner, other: next.owner },
    },
  );
}

/** Nothing may lie below a file or a link. */
function checkParents(merged: ReadonlyMap<string, TreeEntry>): void {
  const checked = new Set<string>();
  for (const { entry, owner } of merged.values()) {
    for (let slash = entry.path.lastIndexOf('/'); slash > 0; slash = entry.path.lastIndexOf('/', slash - 1)) {
      const parent = entry.path.slice(0, slash);
      if (checked.has(parent)) break;
      checked.add(parent);
      const there = merged.get(parent);
      if (there === undefined || there.entry.type === 'directory') continue;
      throw new MossError(
        'conflict',
        `/${parent} is a ${there.entry.type} in ${there.owner}, and a directory with /${entry.path} in ${owner}`,
        { hint: `Only one of them can be installed: leave out ${there.owner} or ${owner}.`, data: { path: parent, package: there.owner, other: owner } },
      );
    }
  }
}

/** Of all packages that offer the same generic name, the one with the highest priority gets the link. */
function chooseAlternatives(packages: readonly TreePackage[], merged: ReadonlyMap<string, TreeEntry>): TreeEntry[] {
  const best = new Map<string, { offer: Alternative; owner: string }>();
  for (const { name, alternatives } of packages) {
    for (const offer of alternatives) {
      const there = best.get(offer.name);
      if (merged.has(offer.path) && (there === undefined || offer.priority > there.offer.priority)) best.set(offer.name, { offer, owner: name });
    }
  }
  const links: TreeEntry[] = [];
  for (const { offer, owner } of best.values()) {
    for (const { link, path } of [offer, ...offer.slaves]) {
      if (merged.has(path) && !merged.has(link)) links.push({ owner, entry: linkTo(link, path) });
    }
  }
  return links;
}

function linkTo(path: PackagePath, target: string): LinkEntry {
  return { type: 'symlink', path, target: `/${target}` };
}

/**
 * Paths that are one on a file system that folds case or Unicode form: `linux-libc-dev` really has such pairs, so they
 * are refused only where the root's file system cannot tell them apart.
 *
 * @throws MossError `conflict`
 */
export function checkFolding(tree: Tree): void {
  const seen = new Map<string, TreeEntry>();
  for (const item of [...tree.system, ...tree.user]) {
    const folded = item.entry.path.normalize('NFC').toLowerCase();
    const there = seen.get(folded);
    if (there !== undefined) {
      throw new MossError('conflict', `/${there.entry.path} (${there.owner}) and /${item.entry.path} (${item.owner}) are the same on this file system`, {
        hint: 'Choose a root on a file system that tells upper and lower case apart.',
        data: { path: there.entry.path, other: item.entry.path },
      });
    }
    seen.set(folded, item);
  }
}
