/** What can be told of an entry of a state without reading it. */
import { fstatSync, lstatSync, readlinkSync, type Stats } from 'node:fs';
import { hasErrno } from '../io-error.ts';
import { isAsLeft } from '../store/files.ts';
import type { ExpectedEntry, Ids } from './packed-entries.ts';

export const PROBLEMS = [
  'missing',
  /** Other bytes. */
  'altered',
  /** The right bytes, as far as they were read; but somebody wrote to the file, or set its time. */
  'touched',
  'mode',
  'owner',
  /** A symbolic link with another target. */
  'link',
  /** A directory instead of a file, and the like. */
  'type',
  /** The user's file has lost what a later change would compare it with: its original in the store. */
  'original',
] as const;
export type Problem = (typeof PROBLEMS)[number];

export interface Look {
  problem?: Problem | undefined;
  /** Of a file that can be read: names of one inode have the same content. */
  inode?: Inode;
}

export interface Inode {
  dev: number;
  ino: number;
}

const SET_GROUP_ID = 0o2000;

/** Looks at entries of one state. */
export class StateLook {
  readonly #directory: string;
  /** The set-group-ID bit, where the state's directory has it: what is made in it gets it too (mkdir(2)). */
  readonly #inherited: number;
  /** Whose files a root has, where nothing else is said. */
  readonly #owners: readonly Ids[];
  readonly #directories: Map<string, boolean>;
  /** The last path that was found to be a directory. */
  #last: string;

  constructor(directory: string, owners: readonly Ids[]) {
    this.#directory = directory;
    this.#inherited = (lstatSync(directory, { throwIfNoEntry: false })?.mode ?? 0) & SET_GROUP_ID;
    this.#owners = owners;
    this.#directories = new Map([[directory, true]]);
    this.#last = directory;
  }

  /** @param opened the entry as it was opened, if it was: not through a link */
  entry(entry: ExpectedEntry, opened?: number): Look {
    if (!this.reaches(entry.path)) return { problem: 'missing' };
    const stat = opened === undefined ? lookAt(entry.path) : fstatSync(opened);
    if (stat === undefined) return { problem: 'missing' };
    const problem = problemOf(entry, stat, this.#inherited) ?? (this.#isOwned(entry, stat) ? undefined : 'owner');
    // A file that was written to, through another of its names perhaps, shows by its time.
    if (entry.type === 'file' && problem === undefined) return { problem: isAsLeft(stat, entry.size) ? undefined : 'touched', inode: stat };
    return { problem };
  }

  /** Whether all above a path is directories: through a link, something else would be looked at. */
  reaches(path: string): boolean {
    // Most entries follow another one of their directory.
    if (path.lastIndexOf('/') === this.#last.length && path.startsWith(this.#last)) return true;
    const parent = parentOf(path);
    if (!this.#isDirectory(parent)) return false;
    this.#last = parent;
    return true;
  }

  #isOwned({ owner }: ExpectedEntry, stat: Stats): boolean {
    if (owner !== undefined) return isOf(stat, owner);
    return this.#owners.some((each) => isOf(stat, each));
  }

  /** Whether a directory and all above it in the state are just that. */
  #isDirectory(path: string): boolean {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const is = path.length > this.#directory.length && this.#isDirectory(parentOf(path)) && lookAt(path)?.isDirectory() === true;
    this.#directories.set(path, is);
    return is;
  }
}

/** What nobody can reach, since a directory above lost its mode, is missing. */
function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (!hasErrno(error, 'EACCES')) throw error;
    return undefined;
  }
}

function problemOf(entry: ExpectedEntry, stat: Stats, inherited: number): Problem | undefined {
  const mode = stat.mode & 0o7777;
  switch (entry.type) {
    case 'file':
      if (!stat.isFile()) return 'type';
      if (stat.size !== entry.size) return 'altered';
      return mode === entry.mode ? undefined : 'mode';
    case 'symlink':
      if (!stat.isSymbolicLink()) return 'type';
      return readlinkSync(entry.path) === entry.target ? undefined : 'link';
    case 'directory':
      if (!stat.isDirectory()) return 'type';
      return mode === entry.mode || mode === (entry.mode | inherited) ? undefined : 'mode';
  }
}

function isOf({ uid, gid }: Ids, wanted: Ids): boolean {
  return uid === wanted.uid && gid === wanted.gid;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
