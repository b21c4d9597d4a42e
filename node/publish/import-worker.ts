import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { serve } from '../threads/serve.ts';
import type { IndexEntry } from '../../core/repo/index-entry.ts';
import type { DirectoryWords } from '../source/directory.ts';
import { importerFor } from '../source/import.ts';
import { DirectorySpool } from '../source/spool.ts';
import { BlockDirectory } from '../store/block-directory.ts';
import { packPackage } from './pack.ts';
import type { CachedImport } from './import-cache.ts';

export interface ImportTask {
  file: string;
  /** The directory of the site's blocks. */
  blocks: string;
  /** Where temporary directories may be made. */
  work: string;
  /** For directories that do not say it themselves. */
  words: DirectoryWords;
}

export interface ImportResult extends CachedImport {
  /** Maintainer scripts that the package brought, and that nobody runs. */
  scripts: string[];
}

serve(async (task: ImportTask, report): Promise<ImportResult> => {
  const work = mkdtempSync(join(task.work, 'import-'));
  try {
    const spool = new DirectorySpool(join(work, 'spool'));
    const imported = await importerFor(task.file, task.words)(task.file, { spool });
    const packed = await packPackage(imported, {
      spool,
      work,
      blocks: new BlockDirectory(task.blocks),
      onProgress: (bytes) => report(bytes),
    });
    const entry: IndexEntry = {
      ...imported.metadata,
      manifest: packed.manifest.cid.toString(),
      size: packed.size,
      download: packed.frameBytes,
      files: packed.files,
      announce: imported.announce ?? true,
    };
    return {
      entry,
      frameBytes: packed.frameBytes,
      manifestBytes: packed.manifestBytes,
      verbatimBytes: packed.verbatimBytes,
      scripts: imported.scripts.map((script) => script.name),
    };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});
