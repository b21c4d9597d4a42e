/** Holds what is on disk against what was signed, file by file. */
import { lstatSync, readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import type { Entry, FileEntry } from '../../core/dag/entry.ts';
import { parentOf, USR_ALIASES, type PackagePath } from '../../core/dag/path.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { isLinkOf, type Observed } from '../../core/install/configuration.ts';
import type { InstalledPackage } from '../../core/install/state.ts';
import { USER_TOPS, type Tree } from '../../core/install/tree.ts';
import { hasErrno } from '../io-error.ts';
import type { Problem } from '../link/look.ts';
import { brokenLinks, rootLinks, stateLinks, type BrokenLink } from '../link/top-links.ts';
import { observe, treeOf } from './configure.ts';
import { activeNumber } from './installed.ts';
import { Inspection } from './inspection.ts';
import { countRows } from './package-facts.ts';
import { STATE_FILE } from './state-file.ts';
import type { System } from './system.ts';

export interface Finding {
  /** Within the root. */
  path: string;
  /** Empty where it is moss's own. */
  package: string;
  problem: Problem;
}

/** A file of the user's that is not as its package brought it, which may well be what the user wants, or that whoever asks may not read. */
export interface Changed {
  path: PackagePath;
  package: string;
  problem: 'missing' | 'altered' | 'type' | 'unreadable';
}

export interface VerifyOptions extends AbortOptions {
  /** Whether every byte is read; else size, time and mode tell. */
  full: boolean;
  /** The packages of the state that are looked at. */
  packages: readonly InstalledPackage[];
  /** Whether these are all: then what belongs to none of them is found too. */
  all: boolean;
  /** Done while the workers read; what it is given lets them get their next entries, and is to be awaited now and then. */
  meanwhile?: (pause: () => Promise<void>) => Promise<void>;
}

/** What is broken, with the rows that say how it should be. */
export interface Broken extends Finding {
  entry: Entry;
}

export interface VerifiedState {
  number: number;
  broken: Broken[];
  /** Links at the top of the state that are not as they should be; of the active state, those at the top of the root too. */
  links: BrokenLink[];
  /** The user's files that were changed: told, and left alone. */
  changed: Changed[];
  /** What lies in the state and belongs to no package: told, and left alone. A directory stands for all in it. */
  extra: string[];
  /** Entries, distinct files and bytes that were looked at. */
  entries: number;
  files: number;
  bytes: number;
}

/** Rows above which `--quick` uses threads: starting them takes as long as looking at so many. */
const MANY = 10_000;
/** Directories that are listed before the workers get their next entries: some 2 ms. */
const PAUSE_DIRECTORIES = 64;

/**
 * Looks at every entry of a state. A file is read once however many names it has. The workers begin while tables are
 * still being read.
 */
export async function verifyState(system: System, number: number, { full, packages, all, meanwhile, signal }: VerifyOptions): Promise<VerifiedState> {
  const { layout, onEvent } = system;
  onEvent({ type: 'step', step: 'verify' });
  const threads = full || (await countRows(system.packages, packages)) > MANY;
  if (threads) system.pool.start();
  const inspection = new Inspection(system, number, { reads: full, threads });
  const tree = await treeOf(system, packages, async ({ entries }) => {
    if (inspection.begin(entries)) await breathe(signal);
  });
  // Links to alternatives stand in no table.
  inspection.begin(tree.system.flatMap(({ entry }) => (entry.type === 'symlink' ? [entry] : [])));
  inspection.flush();
  onEvent({ type: 'total', unit: 'bytes', count: inspection.begunBytes });
  await breathe(signal);
  // The user's files follow the active state: of another one it cannot be told what the user changed.
  const isActive = activeNumber(layout) === number;
  const changed: Changed[] = [];
  for (const { entry, owner } of isActive ? tree.user : []) {
    const problem = await changeOf(system, entry);
    if (problem !== undefined) changed.push({ path: entry.path, package: owner, problem });
  }
  await breathe(signal);
  await meanwhile?.(async () => breathe(signal));
  await breathe(signal);
  const extra = all ? await findExtra(layout.state(number), tree, { signal }) : [];
  const broken = await inspection.results(tree.system, tree.user, { signal });
  return {
    number,
    broken: broken.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    links: [...(isActive ? brokenLinks(layout.root, rootLinks(tree.system)) : []), ...brokenLinks(layout.state(number), stateLinks(tree.system))],
    changed,
    extra,
    entries: tree.system.length,
    files: inspection.files,
    bytes: inspection.bytes,
  };
}

/** Lets the workers get their next entries. */
async function breathe(signal: AbortOptions['signal']): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve) => void setImmediate(resolve));
}

/** What became of a file or link of the user's; of directories, whether they are there. */
async function changeOf({ layout }: System, entry: Entry): Promise<Changed['problem'] | undefined> {
  let seen: Observed;
  try {
    seen = await observe(layout.root, entry.path);
  } catch (error) {
    if (hasErrno(error, 'EACCES')) return 'unreadable';
    throw error;
  }
  if (seen.kind === 'none') return 'missing';
  if (seen.kind !== entry.type) return 'type';
  if (entry.type === 'directory') return undefined;
  return (entry.type === 'file' ? seen.kind === 'file' && seen.id === entry.id : isLinkOf(entry, seen)) ? undefined : 'altered';
}

async function findExtra(directory: string, { system }: Tree, { signal }: AbortOptions): Promise<string[]> {
  const known = new Set<string>([STATE_FILE]);
  let last = '';
  for (const { entry } of system) {
    const { path } = entry;
    known.add(path);
    // Most entries follow another one of their directory.
    if (path.lastIndexOf('/') === last.length && path.startsWith(last)) continue;
    last = parentOf(path);
    for (let parent = last; parent !== '' && !known.has(parent); parent = parentOf(parent)) known.add(parent);
  }
  const extra: string[] = [];
  const below = lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() === true ? [''] : [];
  for (const [i, parent] of below.entries()) {
    if (i % PAUSE_DIRECTORIES === PAUSE_DIRECTORIES - 1) await breathe(signal);
    for (const item of itemsOf(join(directory, parent))) {
      const path = parent === '' ? item.name : `${parent}/${item.name}`;
      // The links at the top into the user's directories and into usr are moss's own.
      if (!known.has(path)) {
        if (parent !== '' || !(item.isSymbolicLink() && isTopLink(item.name))) extra.push(path);
      } else if (item.isDirectory()) below.push(path);
    }
  }
  return extra.toSorted();
}

/** What is in a directory; of one that lost its mode it cannot be told. */
function itemsOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (!hasErrno(error, 'EACCES')) throw error;
    return [];
  }
}

function isTopLink(name: string): boolean {
  return USER_TOPS.has(name) || (USR_ALIASES as readonly string[]).includes(name);
}

export function isFile(row: Broken): row is Broken & { entry: FileEntry } {
  return row.entry.type === 'file';
}

