/** Holds what is on disk against what was signed, file by file, and mends exactly what is broken. */
import { lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Entry, FileEntry } from '../../core/dag/entry.ts';
import { linkTarget, type PackagePath } from '../../core/dag/path.ts';
import type { FileId } from '../../core/dag/file-id.ts';
import type { TreeEntry } from '../../core/install/tree.ts';
import { hasErrno } from '../io-error.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { linkFiles } from '../link/link-files.ts';
import { specialOf } from '../link/state-tree.ts';
import { fileIdOf, isAsLeft, looksWhole } from '../store/files.ts';
import { isExecutable, type StoredFile } from '../store/file-store.ts';
import { treeOfState } from './configure.ts';
import type { System } from './system.ts';

export type Problem = 'missing' | 'altered' | 'mode' | 'link' | 'type';

export interface Finding {
  path: PackagePath;
  package: string;
  problem: Problem;
}

export interface VerifyOptions extends AbortOptions {
  /** Whether every byte is read; else size, time and mode tell. */
  full: boolean;
  /** Only these packages; all when empty. */
  packages?: readonly string[] | undefined;
}

export interface Verified {
  findings: Finding[];
  /** Entries, distinct files and bytes that were looked at. */
  entries: number;
  files: number;
  bytes: number;
}

interface Broken extends Finding {
  entry: Entry;
}

/** What is broken, with the rows that say how it should be: `repairState` needs them. */
export interface VerifiedState extends Verified {
  number: number;
  broken: Broken[];
}

/**
 * Looks at every entry of a state. A file is read once however many names it has: through its store entry where it is
 * the same inode, by itself where it is not.
 */
export async function verifyState(system: System, number: number, { full, packages = [], signal }: VerifyOptions): Promise<VerifiedState> {
  const { layout, store, onEvent } = system;
  const tree = await treeOfState(system, number);
  const chosen = new Set(packages);
  const rows = tree.system.filter(({ owner }) => chosen.size === 0 || chosen.has(owner));
  onEvent({ type: 'step', step: 'verify' });
  const broken: Broken[] = [];
  const linked = new Map<string, StoredFile & { rows: TreeEntry[] }>();
  const separate: TreeEntry[] = [];
  for (const row of rows) {
    const found = look(system, number, row);
    if (found.problem !== undefined) broken.push({ path: row.entry.path, package: row.owner, problem: found.problem, entry: row.entry });
    else if (row.entry.type === 'file' && full) {
      if (!found.linked) separate.push(row);
      else {
        const { id, size, mode } = row.entry;
        const executable = isExecutable(mode);
        const key = layout.stored(id, executable);
        const there = linked.get(key);
        if (there === undefined) linked.set(key, { id, size, executable, rows: [row] });
        else there.rows.push(row);
      }
    }
  }
  const stored = [...linked.values()];
  const bytes = stored.reduce((sum, file) => sum + file.size, 0) + separate.reduce((sum, { entry }) => sum + (entry.type === 'file' ? entry.size : 0), 0);
  onEvent({ type: 'total', unit: 'bytes', count: bytes });
  signal?.throwIfAborted();
  const good = await store.verify(stored, (_, count) => onEvent({ type: 'done', unit: 'bytes', count }));
  for (const [i, file] of stored.entries()) {
    if (good[i] === true) continue;
    for (const { entry, owner } of file.rows) broken.push({ path: entry.path, package: owner, problem: 'altered', entry });
  }
  for (const { entry, owner } of separate) {
    signal?.throwIfAborted();
    if (entry.type !== 'file') continue;
    if ((await idAt(join(layout.state(number), entry.path), entry.size)) !== entry.id) broken.push({ path: entry.path, package: owner, problem: 'altered', entry });
    onEvent({ type: 'done', unit: 'bytes', count: entry.size });
  }
  broken.sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    number,
    broken,
    findings: broken.map(({ path, package: owner, problem }) => ({ path, package: owner, problem })),
    entries: rows.length,
    files: stored.length + separate.length,
    bytes,
  };
}

/** What can be told of an entry without reading it. */
function look(system: System, number: number, { entry }: TreeEntry): { problem?: Problem; linked: boolean } {
  const { layout } = system;
  const path = join(layout.state(number), entry.path);
  let stat: Stats | undefined;
  try {
    stat = lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (!hasErrno(error, 'ENOTDIR', 'ELOOP')) throw error;
  }
  if (stat === undefined) return { problem: 'missing', linked: false };
  if (entry.type === 'directory') return stat.isDirectory() ? { linked: false } : { problem: 'type', linked: false };
  if (entry.type === 'symlink') {
    if (!stat.isSymbolicLink()) return { problem: 'type', linked: false };
    return readlinkSync(path) === linkTarget(entry.path, entry.target) ? { linked: false } : { problem: 'link', linked: false };
  }
  if (!stat.isFile()) return { problem: 'type', linked: false };
  if (stat.size !== entry.size) return { problem: 'altered', linked: false };
  const special = specialOf(entry.mode, entry.owner, process.getuid?.() === 0);
  if (special !== undefined) return (stat.mode & 0o7777) === special.mode ? { linked: false } : { problem: 'mode', linked: false };
  const executable = isExecutable(entry.mode);
  if ((stat.mode & 0o7777) !== (executable ? 0o555 : 0o444)) return { problem: 'mode', linked: false };
  // A hard link that was written to through another name shows by its time.
  const same = lstatSync(layout.stored(entry.id, executable), { throwIfNoEntry: false })?.ino === stat.ino;
  return same && !isAsLeft(stat, entry.size) ? { problem: 'altered', linked: true } : { linked: same };
}

async function idAt(path: string, size: number): Promise<FileId | undefined> {
  try {
    return await fileIdOf(path, size);
  } catch (error) {
    if (hasErrno(error, 'EIO', 'ENOENT')) return undefined;
    throw error;
  }
}

/** The store entries that a repair must not trust: quarantined unless they hash right. */
export async function quarantineAltered(system: System, { broken }: VerifiedState): Promise<FileEntry[]> {
  const { store, layout } = system;
  const files = broken.flatMap(({ entry }) => (entry.type === 'file' ? [entry] : []));
  const suspects = new Map<string, StoredFile>();
  for (const { id, size } of files) {
    for (const executable of [false, true]) {
      const path = layout.stored(id, executable);
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) suspects.set(path, { id, size, executable });
    }
  }
  const list = [...suspects.values()];
  const good = await store.verify(list);
  for (const [i, suspect] of list.entries()) {
    const path = layout.stored(suspect.id, suspect.executable);
    // Right bytes with a wrong mode or time come from outside as well: a fresh copy replaces them.
    if (good[i] !== true || !looksWhole(path, suspect.size) || (lstatSync(path).mode & 0o7777) !== (suspect.executable ? 0o555 : 0o444)) {
      store.quarantine(suspect);
    }
  }
  return files;
}

/** Puts broken entries right, each by one rename; their files are in the store by now. */
export function relink(system: System, { number, broken }: Pick<VerifiedState, 'number' | 'broken'>): void {
  const { layout } = system;
  const isRoot = process.getuid?.() === 0;
  for (const { entry } of broken) {
    const path = join(layout.state(number), entry.path);
    clearWay(layout.state(number), entry.path);
    if (entry.type === 'directory') {
      if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) rmSync(path, { force: true, recursive: true });
      mkdirSync(path, { recursive: true });
      continue;
    }
    const temporary = `${path}.moss-tmp`;
    rmSync(temporary, { force: true, recursive: true });
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) rmSync(path, { recursive: true });
    if (entry.type === 'symlink') symlinkSync(linkTarget(entry.path, entry.target), temporary);
    else {
      const link = { from: layout.stored(entry.id, isExecutable(entry.mode)), to: temporary, special: specialOf(entry.mode, entry.owner, isRoot) };
      linkFiles('hardlink', [link]);
    }
    renameSync(temporary, path);
  }
}

/** Makes the directories above a path, where something else took their place. */
function clearWay(state: string, path: string): void {
  const parent = dirname(path);
  if (parent === '.') return;
  clearWay(state, parent);
  const full = join(state, parent);
  const there = lstatSync(full, { throwIfNoEntry: false });
  if (there?.isDirectory() === true) return;
  if (there !== undefined) rmSync(full, { force: true });
  mkdirSync(full);
}
