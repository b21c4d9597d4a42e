/** Which file of the old version a changed file came from: the same path, else the same name but for versions, else the most similar. */
import type { FileEntry } from '../../../core/dag/entry.ts';
import type { FileId } from '../../../core/dag/file-id.ts';
import { kindOf } from '../../../core/dag/frame.ts';
import { travelSize } from '../../../core/dag/table.ts';
import { sketchOf, similarity, type Sketch } from './sketch.ts';

/** A distinct file, and where it stands in its manifest. */
export interface PlacedFile {
  part: number;
  file: number;
  entry: FileEntry;
  /** All paths that have this content. */
  paths: readonly string[];
}

/** Bytes: what is smaller shares a frame, and so a dictionary, with its neighbours. */
const LEAST_SIMILAR = 4096;
/** Bytes of a file that are read to compare it. */
const SAMPLE = 1024 * 1024;
/** Share of the sketch that must agree. */
const ALIKE = 0.1;
/** Old files that are read to compare, at most: those of the nearest sizes. */
const MOST_CANDIDATES = 200;

/** A path without its digits, so that `libz.so.1.2.13` and `libz.so.1.3.1` are the same. */
export function withoutVersions(path: string): string {
  return path.replaceAll(/\d+(?:[.\-~+:]*\d+)*/g, '#');
}

export type ReadSample = (file: FileEntry, length: number) => Promise<Uint8Array>;

export interface Versions {
  old: readonly PlacedFile[];
  readOld: ReadSample;
  readNew: ReadSample;
}

/** The predecessor of each changed file that has one. */
export async function findPredecessors(changed: readonly PlacedFile[], { old, readOld, readNew }: Versions): Promise<Map<FileId, PlacedFile>> {
  const byPath = new Map<string, PlacedFile>();
  const byPattern = new Map<string, PlacedFile[]>();
  for (const file of old) {
    for (const path of file.paths) {
      byPath.set(path, file);
      const pattern = withoutVersions(path);
      const list = byPattern.get(pattern);
      if (list === undefined) byPattern.set(pattern, [file]);
      else list.push(file);
    }
  }
  const found = new Map<FileId, PlacedFile>();
  const left: PlacedFile[] = [];
  for (const file of changed) {
    const same = file.paths.map((path) => byPath.get(path)).find((each) => each !== undefined);
    const match = same ?? nearest(file, file.paths.flatMap((path) => byPattern.get(withoutVersions(path)) ?? []));
    if (match === undefined) left.push(file);
    else found.set(file.entry.id, match);
  }
  const similar = left.filter(({ entry }) => travelSize(entry) >= LEAST_SIMILAR);
  if (similar.length === 0) return found;
  const sketches = new Map<FileId, Sketch>();
  const candidates = old.filter(({ entry }) => travelSize(entry) >= LEAST_SIMILAR);
  for (const file of similar) {
    const own = sketchOf(await readNew(file.entry, Math.min(SAMPLE, travelSize(file.entry))));
    const kind = kindOf(file.entry.path);
    let best: { file: PlacedFile; alike: number } | undefined;
    for (const each of bySize(file, candidates.filter(({ entry }) => kindOf(entry.path) === kind)).slice(0, MOST_CANDIDATES)) {
      let sketch = sketches.get(each.entry.id);
      if (sketch === undefined) {
        sketch = sketchOf(await readOld(each.entry, Math.min(SAMPLE, travelSize(each.entry))));
        sketches.set(each.entry.id, sketch);
      }
      const alike = similarity(own, sketch);
      if (alike >= ALIKE && (best === undefined || alike > best.alike)) best = { file: each, alike };
    }
    if (best !== undefined) found.set(file.entry.id, best.file);
  }
  return found;
}

function nearest(file: PlacedFile, candidates: readonly PlacedFile[]): PlacedFile | undefined {
  return bySize(file, candidates)[0];
}

/** The nearest in size first; then in the order of the manifest. */
function bySize({ entry }: PlacedFile, candidates: readonly PlacedFile[]): PlacedFile[] {
  const distance = (each: PlacedFile): number => Math.abs(travelSize(each.entry) - travelSize(entry));
  return candidates.toSorted((a, b) => distance(a) - distance(b) || a.part - b.part || a.file - b.file);
}
