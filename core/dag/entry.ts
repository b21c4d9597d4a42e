/** One row of a file table. */
import type { FileId } from './file-id.ts';
import type { PackagePath } from './path.ts';
import type { Recipe } from './recipe.ts';

/** Who owns an entry; entries of root carry none. */
export interface Owner {
  uid: number;
  gid: number;
  /** Names as the package gives them, or empty. */
  user: string;
  group: string;
}

export interface FileEntry {
  type: 'file';
  path: PackagePath;
  /** Permission bits, setuid, setgid and sticky: 0 to 0o7777. */
  mode: number;
  owner?: Owner | undefined;
  id: FileId;
  /** Bytes. */
  size: number;
  /** How the content is rebuilt from what travels, where it does not travel as it is. */
  recipe?: AppliedRecipe | undefined;
}

/** The recipe of one file, and how many bytes its unpacked content has. */
export interface AppliedRecipe {
  name: Recipe;
  size: number;
}

export interface LinkEntry {
  type: 'symlink';
  path: PackagePath;
  /** As the package has it; `linkTarget` makes it safe. */
  target: string;
  owner?: Owner | undefined;
}

export interface DirectoryEntry {
  type: 'directory';
  path: PackagePath;
  mode: number;
  owner?: Owner | undefined;
}

export type Entry = FileEntry | LinkEntry | DirectoryEntry;
