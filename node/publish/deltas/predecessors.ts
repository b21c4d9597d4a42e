/** Which file of the old version a changed file came from: the same path, else the same name but for versions, else the most similar. */
import type { FileEntry } from '../../../core/dag/entry.ts';
import type { FileId } from '../../../core/dag/file-id.ts';
import { kindOf } from '../../../core/dag/frame.ts';
import { travelSize } from '../../../core/dag/table.ts';
import { bySize, predecessorsByPath, type NamedFile } from '../../../core/install/predecessors.ts';
import { sketchOf, similarity, type Sketch } from './sketch.ts';

/** A distinct file, and where it stands in its manifest. */
export interface PlacedFile extends NamedFile {
  part: number;
  file: number;
}

/** Bytes: what is smaller shares a frame, and so a dictionary, with its neighbours. */
const LEAST_SIMILAR = 4096;
/** Bytes of a file that are read to compare it. */
const SAMPLE = 1024 * 1024;
/** Share of the sketch that must agree. */
const ALIKE = 0.1;
/** Old files that are read to compare, at most: those of the nearest sizes. */
const MOST_CANDIDATES = 200;

export type ReadSample = (file: FileEntry, length: number) => Promise<Uint8Array>;

export interface Versions {
  old: readonly PlacedFile[];
  readOld: ReadSample;
  readNew: ReadSample;
}

/** The predecessor of each changed file that has one. */
export async function findPredecessors(changed: readonly PlacedFile[], { old, readOld, readNew }: Versions): Promise<Map<FileId, PlacedFile>> {
  const found = predecessorsByPath(changed, old);
  const similar = changed.filter(({ entry }) => !found.has(entry.id) && travelSize(entry) >= LEAST_SIMILAR);
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

