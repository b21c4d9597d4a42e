/** What can be told of an entry of a state without reading it. */
import { lstatSync, readlinkSync, statSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Entry } from '../../core/dag/entry.ts';
import { linkTarget } from '../../core/dag/path.ts';
import { specialOf } from '../link/state-tree.ts';
import { isAsLeft } from '../store/files.ts';
import { isExecutable } from '../store/file-store.ts';
import type { Layout } from '../store/layout.ts';

export type Problem =
  | 'missing'
  /** Other bytes. */
  | 'altered'
  /** The right bytes, as far as they were read; but somebody wrote to the file, or set its time. */
  | 'touched'
  | 'mode'
  | 'owner'
  /** A symbolic link with another target. */
  | 'link'
  /** A directory instead of a file, and the like. */
  | 'type'
  /** The user's file has lost what a later change would compare it with: its original in the store. */
  | 'original';

export interface Look {
  problem?: Problem | undefined;
  /** Of a file that can be read: names of one inode have the same content. */
  inode?: { dev: number; ino: number };
}

/** Looks at the entries of one state. */
export class StateLook {
  readonly #directory: string;
  /** Whose files a root has: root's own, where root installs. */
  readonly #owners: ReadonlySet<string>;
  readonly #isRoot: boolean;
  readonly #directories = new Map<string, boolean>([['.', true]]);

  constructor(layout: Layout, number: number) {
    this.#directory = layout.state(number);
    const made = [statSync(layout.moss), statSync(this.#directory)];
    this.#owners = new Set(made.map(ownerOf));
    this.#isRoot = made.every(({ uid }) => uid === 0);
  }

  entry(entry: Entry): Look {
    // Through a link, something else would be looked at.
    if (!this.#isDirectory(dirname(entry.path))) return { problem: 'missing' };
    const stat = lstatSync(join(this.#directory, entry.path), { throwIfNoEntry: false });
    if (stat === undefined) return { problem: 'missing' };
    const problem = (entry.type === 'file' ? this.#file(entry, stat) : this.#other(entry, stat)) ?? (this.#isOwned(entry, stat) ? undefined : 'owner');
    // A file that was written to, through another of its names perhaps, shows by its time.
    if (entry.type === 'file' && problem === undefined) return { problem: isAsLeft(stat, entry.size) ? undefined : 'touched', inode: stat };
    return { problem };
  }

  #file(entry: Extract<Entry, { type: 'file' }>, stat: Stats): Problem | undefined {
    if (!stat.isFile()) return 'type';
    if (stat.size !== entry.size) return 'altered';
    const wanted = specialOf(entry.mode, entry.owner, this.#isRoot)?.mode ?? (isExecutable(entry.mode) ? 0o555 : 0o444);
    return (stat.mode & 0o7777) === wanted ? undefined : 'mode';
  }

  #other(entry: Exclude<Entry, { type: 'file' }>, stat: Stats): Problem | undefined {
    if (entry.type === 'symlink') {
      if (!stat.isSymbolicLink()) return 'type';
      return readlinkSync(join(this.#directory, entry.path)) === linkTarget(entry.path, entry.target) ? undefined : 'link';
    }
    if (!stat.isDirectory()) return 'type';
    const mode = stat.mode & 0o7777;
    const wanted = directoryMode(entry, this.#isRoot);
    // The mask of the process that made it may have taken bits away.
    return mode === wanted || (wanted === 0o755 && (mode & ~wanted) === 0) ? undefined : 'mode';
  }

  #isOwned(entry: Entry, stat: Stats): boolean {
    if (this.#isRoot && entry.owner !== undefined && entry.type !== 'symlink') return ownerOf(stat) === ownerOf(entry.owner);
    return this.#owners.has(ownerOf(stat));
  }

  /** Whether a directory and all above it in the state are just that. */
  #isDirectory(path: string): boolean {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const is = this.#isDirectory(dirname(path)) && lstatSync(join(this.#directory, path), { throwIfNoEntry: false })?.isDirectory() === true;
    this.#directories.set(path, is);
    return is;
  }
}

/** The mode of a directory in a state: who installs must be able to fill it. */
export function directoryMode({ mode }: { mode: number }, isRoot: boolean): number {
  return isRoot ? mode : mode | 0o700;
}

function ownerOf({ uid, gid }: { uid: number; gid: number }): string {
  return `${uid}:${gid}`;
}

