/**
 * Links on their way to a worker: a few texts and an array. As objects with two whole paths each, handing them over
 * takes as long as making them (measured).
 */
import { FILE_ID_LENGTH, type FileId } from '../../core/dag/file-id.ts';
import type { Layout } from '../store/layout.ts';
import type { FileLink, Special } from './link-files.ts';
import type { SymbolicLink } from './link-symlinks.ts';

export interface PackedLinks {
  /** What all paths start with. */
  directory: string;
  /** Paths below it, with NUL between them: those of directories, files and symbolic links. */
  directories: string;
  files: string;
  symlinks: string;
  ids: string;
  /** For each file: 1 where its store entry is the executable one. */
  executable: Uint8Array<ArrayBuffer>;
  /** By the number of the file. */
  special: ReadonlyMap<number, Special>;
  /** Targets of the symbolic links, with NUL between them. */
  targets: string;
}

/** Collects what one worker gets. */
export class LinkPacker {
  readonly #directory: string;
  readonly #directories: string[] = [];
  readonly #files: string[] = [];
  readonly #symlinks: string[] = [];
  readonly #targets: string[] = [];
  readonly #executable: number[] = [];
  readonly #special = new Map<number, Special>();
  #ids = '';

  constructor(directory: string) {
    this.#directory = directory;
  }

  get size(): number {
    return this.#directories.length + this.#files.length + this.#symlinks.length;
  }

  /** How many of them are no directories. */
  get links(): number {
    return this.#files.length + this.#symlinks.length;
  }

  addDirectory(path: string): void {
    this.#directories.push(path);
  }

  addFile(path: string, id: FileId, executable: boolean, special: Special | undefined): void {
    if (special !== undefined) this.#special.set(this.#files.length, special);
    this.#files.push(path);
    this.#ids += id;
    this.#executable.push(executable ? 1 : 0);
  }

  addSymlink(path: string, target: string): void {
    this.#symlinks.push(path);
    this.#targets.push(target);
  }

  pack(): PackedLinks {
    return {
      directory: this.#directory,
      directories: this.#directories.join('\0'),
      files: this.#files.join('\0'),
      symlinks: this.#symlinks.join('\0'),
      ids: this.#ids,
      executable: Uint8Array.from(this.#executable),
      special: this.#special,
      targets: this.#targets.join('\0'),
    };
  }
}

export interface UnpackedLinks {
  directories: string[];
  links: FileLink[];
  symlinks: SymbolicLink[];
}

export function unpackLinks(packed: PackedLinks, layout: Layout): UnpackedLinks {
  const { directory, ids, executable, special } = packed;
  const targets = packed.targets.split('\0');
  return {
    directories: pathsOf(directory, packed.directories),
    links: pathsOf(directory, packed.files).map((to, i) => {
      // `addFile` had it as an id.
      const id = ids.slice(i * FILE_ID_LENGTH, (i + 1) * FILE_ID_LENGTH) as FileId;
      return { from: layout.stored(id, executable[i] === 1), to, special: special.get(i) };
    }),
    symlinks: pathsOf(directory, packed.symlinks).map((path, i) => ({ path, target: targets[i] ?? '' })),
  };
}

function pathsOf(directory: string, joined: string): string[] {
  return joined === '' ? [] : joined.split('\0').map((path) => `${directory}/${path}`);
}
