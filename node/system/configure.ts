/** The user's files after a switch: copied, replaced or written beside, as `core/install/configuration.ts` decides. */
import { chmodSync, constants, copyFileSync, existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmdirSync, rmSync, symlinkSync, chownSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Fields } from '../../core/dag/fields.ts';
import type { Entry, FileEntry } from '../../core/dag/entry.ts';
import { comparePaths, linkTarget, type PackagePath } from '../../core/dag/path.ts';
import type { Table } from '../../core/dag/table.ts';
import type { InstalledPackage } from '../../core/install/state.ts';
import { leavingEntries, planConfiguration, planRemoval, type ConfigurationStep, type Observed } from '../../core/install/configuration.ts';
import { isUsers, type Tree, type TreeEntry } from '../../core/install/tree.ts';
import { MossError } from '../../core/error.ts';
import { hasErrno } from '../io-error.ts';
import { syncFileSystem, writeFileDurably } from '../store/durable.ts';
import { fileIdOf } from '../store/files.ts';
import { isExecutable } from '../store/modes.ts';
import type { Layout } from '../store/layout.ts';
import { treeOfPackages } from './change.ts';
import { readStateFile } from './state-file.ts';
import type { LoadedPackage } from './package-store.ts';
import type { System } from './system.ts';

/** From which state to which the user's files are to go. */
export interface Configuring {
  state: number;
  before: number | undefined;
  /** Whether the state was made for this: then it goes when the switch did not happen. */
  fresh?: boolean;
}

export interface Configured {
  /** Files that the user changed and that stay although no package has them any more. */
  kept: PackagePath[];
  /** Files that the user changed: the package's lies beside, as `.moss-new`. */
  beside: PackagePath[];
}

export function noteConfiguring(layout: Layout, note: Configuring): void {
  writeFileDurably(layout.configuring, JSON.stringify(note));
}

export function clearConfiguring(layout: Layout): void {
  rmSync(layout.configuring, { force: true });
}

/** The note that a crash left, if there is one. */
export function readConfiguring(layout: Layout): Configuring | undefined {
  if (!existsSync(layout.configuring)) return undefined;
  const fields = new Fields(JSON.parse(readFileSync(layout.configuring, 'utf8')), 'damaged', layout.configuring);
  return { state: fields.int('state', 1), before: fields.has('before') ? fields.int('before', 1) : undefined, fresh: fields.has('fresh') && fields.flag('fresh') };
}

/**
 * Brings the user's files from one state to another; doing it again changes nothing.
 *
 * @param tree of the new state, where it is known
 */
export async function configureState(system: System, { state, before }: Configuring, tree?: Tree): Promise<Configured> {
  const { layout } = system;
  const old = before === undefined || !existsSync(layout.state(before)) ? [] : await entriesBefore(system, before);
  const { user } = tree ?? (await treeOfState(system, state));
  const leaving = leavingEntries(old, user);
  const { steps: removal, kept } = planRemoval(leaving, await observing(layout.root, leaving));
  const removed = carryOut(layout, removal);
  const written = carryOut(layout, planConfiguration(old, user, await observing(layout.root, user)));
  if (removed.length + written.length > 0) await syncFileSystem(layout.root);
  return { kept, beside: written.flatMap((step) => (step.do === 'beside' ? [step.path] : [])) };
}

/** Does the steps that can be done: not those below what is no directory. */
function carryOut(layout: Layout, steps: readonly ConfigurationStep[]): ConfigurationStep[] {
  const done = steps.filter((step) => !isCutOff(layout.root, step.path));
  for (const step of done) doStep(layout, step);
  return done;
}

/**
 * Puts the packages' own files back where the user changed or removed them. What was changed stays beside, as
 * `.moss-old`, or with a number behind where there is one already.
 *
 * @returns the paths that were put back
 * @throws MossError `damaged` where the store has lost one
 */
export async function restoreConfiguration(system: System, state: number, paths: ReadonlySet<PackagePath>): Promise<PackagePath[]> {
  const { layout } = system;
  const restored: PackagePath[] = [];
  const entries = (await treeOfState(system, state)).user.map(({ entry }) => entry).filter(({ path }) => paths.has(path));
  // A directory comes before what is in it: where a link took its place, only then nothing leads out of the root.
  for (const entry of entries.toSorted((a, b) => comparePaths(a.path, b.path))) {
    if (isCutOff(layout.root, entry.path)) continue;
    putAside(join(layout.root, entry.path), entry.type);
    doStep(layout, stepTo(entry));
    restored.push(entry.path);
  }
  if (restored.length > 0) await syncFileSystem(layout.root);
  return restored;
}

/** What puts an entry where nothing is in its way. */
function stepTo(entry: Entry): ConfigurationStep {
  const { path } = entry;
  if (entry.type === 'directory') return { do: 'directory', path, mode: entry.mode };
  return entry.type === 'file' ? { do: 'write', path, file: entry } : { do: 'symlink', path, target: entry.target };
}

/** Of a file a copy, so that there is something under the name at every moment; a link, a directory or a pipe moves, and what is to be a directory. */
function putAside(path: string, next: Entry['type']): void {
  const present = lstatSync(path, { throwIfNoEntry: false });
  if (present === undefined) return;
  let aside = `${path}.moss-old`;
  for (let number = 1; lstatSync(aside, { throwIfNoEntry: false }) !== undefined; number++) aside = `${path}.moss-old.${number}`;
  if (!present.isFile() || next === 'directory') return renameSync(path, aside);
  const { mode, uid, gid } = present;
  copyFileSync(path, aside, constants.COPYFILE_EXCL);
  if (process.getuid?.() === 0) chownSync(aside, uid, gid);
  chmodSync(aside, mode & 0o7777);
}

/** From a state whose records are damaged one must get away, too: all that lies there counts as the user's then. */
async function entriesBefore(system: System, number: number): Promise<TreeEntry[]> {
  try {
    return await userEntries(system, number);
  } catch (error) {
    if (!(error instanceof MossError) || error.code !== 'damaged') throw error;
    system.onEvent({ type: 'warning', message: `what state ${number} brought to /etc and the like cannot be told, and stays: ${error.message}` });
    return [];
  }
}

/** The user's part of a state's tree: all else of it is left aside, but for what its links to alternatives hang on. */
async function userEntries(system: System, number: number): Promise<TreeEntry[]> {
  const { packages } = readStateFile(system.layout.state(number));
  const loaded = await loadInstalled(system, packages);
  const offered = new Set([...loaded.values()].flatMap(({ manifest }) => manifest.alternatives.flatMap((each) => [each, ...each.slaves]).flatMap(({ link, path }) => [link, path])));
  return treeOfPackages(packages, loaded, ({ path }) => isUsers(path) || offered.has(path)).user;
}

/** The tree of a state, from its record and the manifests that are here. */
export async function treeOfState(system: System, number: number): Promise<Tree> {
  return treeOf(system, readStateFile(system.layout.state(number)).packages);
}

/**
 * The tree of some packages, from the manifests that are here.
 *
 * @param onTable told of each table as soon as it is read; it goes on when this resolves
 */
export async function treeOf(system: System, packages: readonly InstalledPackage[], onTable?: (table: Table) => Promise<void>): Promise<Tree> {
  return treeOfPackages(packages, await loadInstalled(system, packages, onTable));
}

async function loadInstalled(system: System, packages: readonly InstalledPackage[], onTable?: (table: Table) => Promise<void>): Promise<Map<string, LoadedPackage>> {
  const loaded = new Map<string, LoadedPackage>();
  for (const each of packages) {
    const chosen = new Set(each.components);
    loaded.set(each.name, await system.packages.load(each.manifest, (component) => chosen.has(component), onTable));
  }
  return loaded;
}

async function observing(root: string, entries: readonly TreeEntry[]): Promise<(path: PackagePath) => Observed> {
  const out = new Map<PackagePath, Observed>();
  for (const { entry } of entries) if (!out.has(entry.path)) out.set(entry.path, await observe(root, entry.path));
  return (path) => out.get(path) ?? { kind: 'none' };
}

/** What lies at a path; a directory on the way that is a link leads elsewhere, and is not followed. */
export async function observe(root: string, path: PackagePath): Promise<Observed> {
  const full = join(root, path);
  try {
    const stat = lstatSync(full);
    if (isCutOff(root, path)) return { kind: 'other' };
    if (stat.isSymbolicLink()) return { kind: 'symlink', target: readlinkSync(full) };
    if (stat.isDirectory()) return { kind: 'directory' };
    if (!stat.isFile()) return { kind: 'other' };
    const id = await fileIdOf(full, stat.size);
    return id === undefined ? { kind: 'other' } : { kind: 'file', id };
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return isCutOff(root, path) ? { kind: 'other' } : { kind: 'none' };
    throw error;
  }
}

/** Whether something above a path is no directory: nothing can be below a file, and through a link a step could end outside of the root. */
function isCutOff(root: string, path: string): boolean {
  let above = root;
  for (const name of path.split('/').slice(0, -1)) {
    above = join(above, name);
    const stat = lstatSync(above, { throwIfNoEntry: false });
    if (stat?.isDirectory() !== true) return stat !== undefined;
  }
  return false;
}

function doStep(layout: Layout, step: ConfigurationStep): void {
  const path = join(layout.root, step.path);
  if (step.do !== 'delete' && step.do !== 'rmdir') mkdirSync(dirname(path), { recursive: true });
  switch (step.do) {
    case 'directory':
      mkdirSync(path, { recursive: true });
      chmodSync(path, step.mode);
      return;
    case 'write':
      copyOut(layout, step.file, path);
      return;
    case 'beside':
      copyOut(layout, step.file, `${path}.moss-new`);
      return;
    case 'symlink': {
      const temporary = `${path}.moss-tmp`;
      rmSync(temporary, { force: true });
      symlinkSync(linkTarget(step.path, step.target), temporary);
      renameSync(temporary, path);
      return;
    }
    case 'delete':
      rmSync(path, { force: true });
      return;
    case 'rmdir':
      try {
        rmdirSync(path);
      } catch (error) {
        if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
      }
      return;
  }
}

/** A copy of a store file, whole or not at all, with the mode and the time of a file that belongs to the user. */
function copyOut(layout: Layout, file: FileEntry, path: string): void {
  const from = layout.stored(file.id, isExecutable(file.mode));
  if (!existsSync(from)) throw new MossError('damaged', `the store has lost ${file.id} (/${file.path})`, { hint: 'Run `moss verify --repair`.' });
  const temporary = `${path}.moss-tmp`;
  copyFileSync(from, temporary);
  if (process.getuid?.() === 0 && file.owner !== undefined) chownSync(temporary, file.owner.uid, file.owner.gid);
  chmodSync(temporary, file.mode);
  renameSync(temporary, path);
}
