/** Which file of an old version a changed one came from, by their names. Pure. */
import type { FileEntry } from '../dag/entry.ts';
import type { FileId } from '../dag/file-id.ts';
import { travelSize, type Table } from '../dag/table.ts';

/** A distinct file of a package. */
export interface NamedFile {
  entry: FileEntry;
  /** All paths that have this content. */
  paths: readonly string[];
}

/** All paths of each content. */
export function pathsOf(tables: Iterable<Pick<Table, 'entries'>>): Map<FileId, string[]> {
  const paths = new Map<FileId, string[]>();
  for (const { entries } of tables) {
    for (const entry of entries) {
      if (entry.type !== 'file') continue;
      const list = paths.get(entry.id);
      if (list === undefined) paths.set(entry.id, [entry.path]);
      else list.push(entry.path);
    }
  }
  return paths;
}

/** The distinct files of some tables. */
export function namedFiles(tables: readonly Table[]): NamedFile[] {
  const paths = pathsOf(tables);
  const files = new Map(tables.flatMap(({ files: some }) => some.map((entry) => [entry.id, entry] as const)));
  return [...files.values()].map((entry) => ({ entry, paths: paths.get(entry.id) ?? [] }));
}

/** A path without its digits, so that `libz.so.1.2.13` and `libz.so.1.3.1` are the same. */
export function withoutVersions(path: string): string {
  return path.replaceAll(/\d+(?:[.\-~+:]*\d+)*/g, '#');
}

/** The predecessor of each changed file that has one: the same path, else the same but for versions. */
export function predecessorsByPath<T extends NamedFile>(changed: readonly NamedFile[], old: readonly T[]): Map<FileId, T> {
  const byPath = new Map<string, T>();
  const byPattern = new Map<string, T[]>();
  for (const file of old) {
    for (const path of file.paths) {
      byPath.set(path, file);
      const pattern = withoutVersions(path);
      const list = byPattern.get(pattern);
      if (list === undefined) byPattern.set(pattern, [file]);
      else list.push(file);
    }
  }
  const found = new Map<FileId, T>();
  for (const file of changed) {
    const same = file.paths.map((path) => byPath.get(path)).find((each) => each !== undefined);
    const match = same ?? bySize(file, file.paths.flatMap((path) => byPattern.get(withoutVersions(path)) ?? []))[0];
    if (match !== undefined) found.set(file.entry.id, match);
  }
  return found;
}

/** The nearest in size first; of equals the one that came first. */
export function bySize<T extends NamedFile>({ entry }: NamedFile, candidates: readonly T[]): T[] {
  const distance = (each: T): number => Math.abs(travelSize(each.entry) - travelSize(entry));
  return candidates.toSorted((a, b) => distance(a) - distance(b));
}
