import { closeSync, openSync, statSync } from 'node:fs';
import { AR_MAGIC } from './ar.ts';
import { importDeb } from './deb.ts';
import { importDirectory, type DirectoryWords } from './directory.ts';
import { readAt } from './file-range.ts';
import type { Importer } from './imported.ts';
import { Place } from './place.ts';
import { importStone, STONE_MAGIC } from './stone.ts';

/**
 * The importer for a file or directory, by what it holds and not by its name.
 *
 * @param words for directories, where they do not say themselves
 * @throws MossError `io` when it cannot be read, `unsupported` when it is no package
 */
export function importerFor(path: string, words: DirectoryWords = {}): Importer {
  const place = new Place(path);
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return (file, options) => importDirectory(file, options, words);
    if (!stat.isFile()) throw place.unsupported('it is neither a file nor a directory', {}, HINT);
    const fd = openSync(path, 'r');
    try {
      const start = readAt(fd, 0, AR_MAGIC.length).toString('latin1');
      if (start === AR_MAGIC) return importDeb;
      if (start.startsWith(STONE_MAGIC)) return importStone;
    } finally {
      closeSync(fd);
    }
    throw place.unsupported('it is no .deb, no .stone and no directory', { offset: 0 }, HINT);
  } catch (error) {
    throw place.name(error);
  }
}

const HINT = 'moss publishes .deb and .stone files and plain directories.';
