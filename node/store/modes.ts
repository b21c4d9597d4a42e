/** The store keeps a content at most twice: read-only, and with the execute bits too. */
import type { FileEntry } from '../../core/dag/entry.ts';
import type { FileId } from '../../core/dag/file-id.ts';

/** In which of its two modes a content is wanted, or is here: bits. */
export type Modes = number;
export const PLAIN = 1;
export const EXECUTABLE = 2;

/** Permissions of store files: nobody writes to them. */
export const STORE_MODE = 0o444;
export const EXECUTABLE_MODE = 0o555;

export interface WantedFile {
  id: FileId;
  /** Bytes. */
  size: number;
  modes: Modes;
}

/** Whether a file's permissions ask for the store entry with the execute bits. */
export function isExecutable(mode: number): boolean {
  return (mode & 0o111) !== 0;
}

/** The modes in which each content is needed. */
export function wantedFiles(files: Iterable<FileEntry>): Map<FileId, WantedFile> {
  const wanted = new Map<FileId, WantedFile>();
  for (const { id, size, mode } of files) {
    const item = wanted.get(id) ?? { id, size, modes: 0 };
    item.modes |= isExecutable(mode) ? EXECUTABLE : PLAIN;
    wanted.set(id, item);
  }
  return wanted;
}

const COPIES: readonly (readonly boolean[])[] = [[], [false], [true], [false, true]];

/** For each mode among some, whether it is the executable one. */
export function copiesOf(modes: Modes): readonly boolean[] {
  return COPIES[modes] ?? [];
}
