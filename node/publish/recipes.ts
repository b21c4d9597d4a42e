/** Finds the recipes of a package: which `.gz` files `gzip -9n` gives back byte for byte. Proved here, file by file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Entry, FileEntry } from '../../core/dag/entry.ts';
import { LEAF_SIZE, type FileId } from '../../core/dag/file-id.ts';
import { sameBytes } from '../../core/dag/block.ts';
import { gzipFiles, hasGnuGzip } from '../gzip.ts';
import type { DirectorySpool } from '../source/spool.ts';

/** Unpacked content by the id of the packed file; it lies in `directory`, named by that id. */
export interface Unpacked {
  directory: string;
  sizes: Map<FileId, number>;
}

/** The rows with recipes filled in, and where the unpacked content is. */
export async function proveRecipes(
  entries: readonly Entry[],
  spool: DirectorySpool,
  work: string,
): Promise<{ entries: Entry[]; unpacked: Unpacked }> {
  const directory = mkdtempSync(join(work, 'unpacked-'));
  const sizes = new Map<FileId, number>();
  if (hasGnuGzip()) {
    for (const entry of entries) {
      if (entry.type !== 'file' || !isCandidate(entry) || sizes.has(entry.id)) continue;
      const plain = gunzip(readFileSync(spool.pathOf(entry.id)));
      if (plain === undefined) continue;
      writeFileSync(join(directory, entry.id), plain);
      sizes.set(entry.id, plain.length);
    }
    await keepProved(directory, sizes, spool);
  }
  return {
    unpacked: { directory, sizes },
    entries: entries.map((entry) => {
      const size = entry.type === 'file' ? sizes.get(entry.id) : undefined;
      return size === undefined || entry.type !== 'file' ? entry : { ...entry, recipe: { name: 'gzip -9n', size } };
    }),
  };
}

/** Only files of one leaf, packed and unpacked: a recipe is undone in one go. */
function isCandidate(file: FileEntry): boolean {
  return file.path.endsWith('.gz') && file.size > 0 && file.size <= LEAF_SIZE;
}

function gunzip(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: LEAF_SIZE });
  } catch {
    return undefined;
  }
}

/** Packs everything again and forgets what does not come out the same. */
async function keepProved(directory: string, sizes: Map<FileId, number>, spool: DirectorySpool): Promise<void> {
  const trial = mkdtempSync(join(directory, 'trial-'));
  for (const id of sizes.keys()) writeFileSync(join(trial, id), readFileSync(join(directory, id)));
  await gzipFiles(trial, [...sizes.keys()]);
  for (const id of sizes.keys()) {
    if (!sameBytes(readFileSync(join(trial, `${id}.gz`)), readFileSync(spool.pathOf(id)))) sizes.delete(id);
  }
  rmSync(trial, { recursive: true });
}
