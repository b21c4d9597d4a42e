/** Entries on their way to a worker that looks at them: a few texts and arrays, as links are handed over (`packed-links.ts`). */
import type { Entry } from '../../core/dag/entry.ts';
import { FILE_ID_LENGTH, type FileId } from '../../core/dag/file-id.ts';
import { linkTarget } from '../../core/dag/path.ts';

/** Whose something is. */
export interface Ids {
  uid: number;
  gid: number;
}

/** How an entry of a state should be on disk. */
export interface ExpectedEntry {
  type: Entry['type'];
  /** The whole path. */
  path: string;
  /** Permission bits; of a symbolic link none. */
  mode: number;
  /** Bytes of a file. */
  size: number;
  /** Of a file. */
  id: FileId;
  /** Of a symbolic link. */
  target: string;
  /** Where it is not one of the root's own. */
  owner: Ids | undefined;
  /** Whether the bytes of the file are to be read. */
  reads: boolean;
}

export interface PackedEntries {
  /** What all paths start with. */
  directory: string;
  /** Whose files a root has, where nothing else is said. */
  owners: readonly Ids[];
  /** Paths below the directory, with NUL between them. */
  paths: string;
  /** For each entry: an index into `TYPES`, and `READS` where it is to be read. */
  types: Uint8Array<ArrayBuffer>;
  modes: Uint16Array<ArrayBuffer>;
  sizes: Float64Array<ArrayBuffer>;
  /** Ids of files, one after the other. */
  ids: string;
  /** Targets of symbolic links, with NUL between them. */
  targets: string;
  /** By the number of the entry. */
  special: ReadonlyMap<number, Ids>;
}

const TYPES = ['file', 'symlink', 'directory'] as const;
const READS = 4;

/** Collects what one worker gets. */
export class EntryPacker {
  /** What was added, in order. */
  readonly entries: Entry[] = [];
  readonly #types: number[] = [];
  readonly #modes: number[] = [];
  readonly #sizes: number[] = [];
  readonly #ids: string[] = [];
  readonly #targets: string[] = [];
  readonly #special = new Map<number, Ids>();

  add(entry: Entry, { mode, owner, reads }: Pick<ExpectedEntry, 'mode' | 'owner' | 'reads'>): void {
    if (owner !== undefined) this.#special.set(this.entries.length, owner);
    this.entries.push(entry);
    this.#types.push(TYPES.indexOf(entry.type) | (reads ? READS : 0));
    this.#modes.push(mode);
    this.#sizes.push(entry.type === 'file' ? entry.size : 0);
    if (entry.type === 'file') this.#ids.push(entry.id);
    if (entry.type === 'symlink') this.#targets.push(linkTarget(entry.path, entry.target));
  }

  pack(directory: string, owners: readonly Ids[]): PackedEntries {
    return {
      directory,
      owners,
      paths: this.entries.map(({ path }) => path).join('\0'),
      types: Uint8Array.from(this.#types),
      modes: Uint16Array.from(this.#modes),
      sizes: Float64Array.from(this.#sizes),
      ids: this.#ids.join(''),
      targets: this.#targets.join('\0'),
      special: this.#special,
    };
  }
}

export function* unpackEntries({ directory, paths, types, modes, sizes, ids, targets, special }: PackedEntries): Generator<ExpectedEntry> {
  const target = targets.split('\0').values();
  let files = 0;
  for (const [i, path] of paths.split('\0').entries()) {
    const kind = types[i] ?? 0;
    const type = TYPES[kind & ~READS] ?? 'file';
    if (type === 'file') files++;
    yield {
      type,
      path: `${directory}/${path}`,
      mode: modes[i] ?? 0,
      size: sizes[i] ?? 0,
      // `add` had it as an id.
      id: (type === 'file' ? ids.slice((files - 1) * FILE_ID_LENGTH, files * FILE_ID_LENGTH) : '') as FileId,
      target: type === 'symlink' ? (target.next().value ?? '') : '',
      owner: special.get(i),
      reads: (kind & READS) !== 0,
    };
  }
}
