/** Holds what is on disk against what was signed, file by file. */
import { lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry, FileEntry } from '../../core/dag/entry.ts';
import { USR_ALIASES, type PackagePath } from '../../core/dag/path.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { InstalledPackage } from '../../core/install/state.ts';
import { USER_TOPS, type Tree } from '../../core/install/tree.ts';
import { brokenLinks } from '../link/root-links.ts';
import { looksWhole } from '../store/files.ts';
import { isExecutable } from '../store/file-store.ts';
import { observe, treeOf } from './configure.ts';
import { activeNumber } from './installed.ts';
import { StateLook, type Problem } from './look.ts';
import { Reading } from './reading.ts';
import { STATE_FILE } from './state-file.ts';
import type { System } from './system.ts';

export interface Finding {
  /** Within the root. */
  path: string;
  /** Empty where it is moss's own. */
  package: string;
  problem: Problem;
}

/** A file of the user's that is not as its package brought it, which may well be what the user wants. */
export interface Changed {
  path: PackagePath;
  package: string;
  problem: 'missing' | 'altered' | 'type';
}

export interface VerifyOptions extends AbortOptions {
  /** Whether every byte is read; else size, time and mode tell. */
  full: boolean;
  /** The packages of the state that are looked at. */
  packages: readonly InstalledPackage[];
  /** Whether these are all: then what belongs to none of them is found too. */
  all: boolean;
  /** Done while the workers read. */
  meanwhile?: () => Promise<void>;
}

/** What is broken, with the rows that say how it should be. */
export interface Broken extends Finding {
  entry: Entry;
}

export interface VerifiedState {
  number: number;
  broken: Broken[];
  /** Links at the top of the root that are not as they should be: of the active state alone. */
  links: Finding[];
  /** The user's files that were changed: told, and left alone. */
  changed: Changed[];
  /** What lies in the state and belongs to no package: told, and left alone. A directory stands for all in it. */
  extra: string[];
  /** Entries, distinct files and bytes that were looked at. */
  entries: number;
  files: number;
  bytes: number;
}

/** Rows between two breaths: the workers get their next files only then. */
const BREATH = 512;

/**
 * Looks at every entry of a state. A file is read once however many names it has. Reading begins while tables are still
 * being read: what a path should hold is known before it is known which package's path it is.
 */
export async function verifyState(system: System, number: number, { full, packages, all, meanwhile, signal }: VerifyOptions): Promise<VerifiedState> {
  const { layout, onEvent } = system;
  onEvent({ type: 'step', step: 'verify' });
  const reading = new Reading(system);
  const tree = await treeOf(system, packages, async (entries) => {
    if (!full) return;
    for (const entry of entries) if (entry.type === 'file' && !USER_TOPS.has(topOf(entry.path))) reading.begin(join(layout.state(number), entry.path), entry);
    await breathe(signal);
  });
  reading.flush();
  onEvent({ type: 'total', unit: 'bytes', count: full ? distinctBytes(tree) : 0 });
  const look = new StateLook(layout, number);
  const broken: Broken[] = [];
  for (const [i, { entry, owner }] of tree.system.entries()) {
    if (i % BREATH === 0) await breathe(signal);
    const { problem, inode } = look.entry(entry);
    if (entry.type === 'file' && full && inode !== undefined) {
      reading.add(inode, join(layout.state(number), entry.path), { entry, owner, right: problem, wrong: 'altered' });
    } else if (problem !== undefined) broken.push({ path: entry.path, package: owner, problem, entry });
  }
  const changed: Changed[] = [];
  for (const { entry, owner } of tree.user) {
    const problem = await changeOf(system, entry);
    if (problem !== undefined) changed.push({ path: entry.path, package: owner, problem });
    if (entry.type !== 'file') continue;
    const path = layout.stored(entry.id, isExecutable(entry.mode));
    if (!looksWhole(path, entry.size)) broken.push({ path: entry.path, package: owner, problem: 'original', entry });
    else if (full) reading.add(statSync(path), path, { entry, owner, right: undefined, wrong: 'original' });
  }
  await meanwhile?.();
  broken.push(...(await reading.results(signal)));
  return {
    number,
    broken: broken.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    links: activeNumber(layout) === number ? brokenLinks(layout.root, tree.system).map(({ name, problem }) => ({ path: name, package: '', problem })) : [],
    changed,
    extra: all ? findExtra(layout.state(number), tree) : [],
    entries: tree.system.length,
    files: reading.files,
    bytes: reading.bytes,
  };
}

async function breathe(signal: AbortOptions['signal']): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve) => void setImmediate(resolve));
}

/** The bytes of all files of a tree, equal ones once: an estimate of what is going to be read. */
function distinctBytes({ system, user }: Tree): number {
  const sizes = new Map<string, number>();
  for (const { entry } of [...system, ...user]) if (entry.type === 'file') sizes.set(entry.id, entry.size);
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** What became of a file of the user's; directories and what was never asked about are not told. */
async function changeOf({ layout }: System, entry: Entry): Promise<Changed['problem'] | undefined> {
  const seen = await observe(layout.root, entry.path);
  if (seen.kind === 'none') return 'missing';
  if (seen.kind !== entry.type) return 'type';
  if (entry.type === 'file') return seen.kind === 'file' && seen.id === entry.id ? undefined : 'altered';
  return undefined;
}

function findExtra(directory: string, { system }: Tree): string[] {
  const known = new Set<string>([STATE_FILE]);
  for (const { entry } of system) {
    known.add(entry.path);
    for (let slash = entry.path.lastIndexOf('/'); slash > 0; slash = entry.path.lastIndexOf('/', slash - 1)) {
      const parent = entry.path.slice(0, slash);
      if (known.has(parent)) break;
      known.add(parent);
    }
  }
  const extra: string[] = [];
  const walk = (below: string): void => {
    for (const item of readdirSync(join(directory, below), { withFileTypes: true })) {
      const path = below === '' ? item.name : `${below}/${item.name}`;
      // The links at the top into the user's directories and into usr are moss's own.
      if (!known.has(path)) {
        if (below !== '' || !(item.isSymbolicLink() && isTopLink(item.name))) extra.push(path);
      } else if (item.isDirectory()) walk(path);
    }
  };
  if (lstatSync(directory).isDirectory()) walk('');
  return extra;
}

function topOf(path: string): string {
  const slash = path.indexOf('/');
  return slash === -1 ? path : path.slice(0, slash);
}

function isTopLink(name: string): boolean {
  return USER_TOPS.has(name) || (USR_ALIASES as readonly string[]).includes(name);
}

export function isFile(row: Broken): row is Broken & { entry: FileEntry } {
  return row.entry.type === 'file';
}

