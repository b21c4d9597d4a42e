/** What was packed before, by the input that it was packed from: an unchanged package costs nothing. */
import { createHash } from 'node:crypto';
import { lstatSync, openSync, readdirSync, readlinkSync, readSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { decodeEntry, encodeEntry, type IndexEntry } from '../../core/repo/index-entry.ts';
import type { DirectoryWords } from '../source/directory.ts';
import { PACK_VERSION } from './pack.ts';

/** A table for each version of the packer: what another one packed is of no use. */
const TABLE = `import_${PACK_VERSION}`;
const READ_SIZE = 1024 * 1024;

export interface CachedImport {
  entry: IndexEntry;
  /** Bytes of frames, and of manifest and tables. */
  frameBytes: number;
  manifestBytes: number;
  /** Bytes of the frames that bring packed documents as they are. */
  verbatimBytes: number;
}

export class ImportCache {
  readonly #db: DatabaseSync;

  constructor(path: string) {
    this.#db = new DatabaseSync(path, { timeout: 5000 });
    this.#db.exec(
      `CREATE TABLE IF NOT EXISTS ${TABLE} (key TEXT PRIMARY KEY, entry BLOB NOT NULL, frames INTEGER NOT NULL, manifests INTEGER NOT NULL, verbatim INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
    );
  }

  get(key: string): CachedImport | undefined {
    const row = this.#db.prepare(`SELECT * FROM ${TABLE} WHERE key = ?`).get(key);
    const entry = row?.['entry'];
    if (row === undefined || !(entry instanceof Uint8Array)) return undefined;
    return { entry: decodeEntry(entry), frameBytes: Number(row['frames']), manifestBytes: Number(row['manifests']), verbatimBytes: Number(row['verbatim']) };
  }

  set(key: string, { entry, frameBytes, manifestBytes, verbatimBytes }: CachedImport): void {
    this.#db.prepare(`INSERT OR REPLACE INTO ${TABLE} VALUES (?, ?, ?, ?, ?)`).run(key, encodeEntry(entry), frameBytes, manifestBytes, verbatimBytes);
  }

  close(): void {
    this.#db.close();
  }
}

/**
 * What an import depends on: the bytes of the file, or of all files of a directory with their paths and modes; what was
 * given on the command line; and the version of the packer.
 */
export function importKey(path: string, words: DirectoryWords): string {
  const hash = createHash('sha256');
  hash.update(`moss-import ${PACK_VERSION}\n${JSON.stringify(words)}\n`);
  hashPath(hash, path, '');
  return hash.digest('hex');
}

function hashPath(hash: ReturnType<typeof createHash>, path: string, name: string): void {
  const stat = lstatSync(path);
  if (stat.isDirectory()) {
    hash.update(`directory ${JSON.stringify(name)}\n`);
    for (const child of readdirSync(path).toSorted()) hashPath(hash, join(path, child), child);
    hash.update('end\n');
  } else if (stat.isSymbolicLink() && name !== '') {
    hash.update(`link ${JSON.stringify([name, readlinkSync(path)])}\n`);
  } else {
    hash.update(`file ${JSON.stringify([name, stat.mode & 0o111, stat.size])}\n`);
    hashFile(hash, path);
  }
}

function hashFile(hash: ReturnType<typeof createHash>, path: string): void {
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(READ_SIZE);
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) hash.update(buffer.subarray(0, count));
  } finally {
    closeSync(fd);
  }
}
