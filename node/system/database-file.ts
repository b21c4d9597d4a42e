/** The file of the database of a root: how it is opened, and replaced as a whole. */
import { renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

export const VERSION = 3;
const SCHEMA = `
  CREATE TABLE state (number INTEGER PRIMARY KEY, created INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;
  CREATE TABLE installed (
    state INTEGER NOT NULL REFERENCES state ON DELETE CASCADE,
    name TEXT NOT NULL, version TEXT NOT NULL, release INTEGER NOT NULL, architecture TEXT NOT NULL, format TEXT NOT NULL,
    manifest TEXT NOT NULL, repository TEXT NOT NULL, explicit INTEGER NOT NULL, components TEXT NOT NULL, wishes TEXT,
    summary TEXT NOT NULL, size INTEGER NOT NULL,
    PRIMARY KEY (state, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE package (id INTEGER PRIMARY KEY, manifest TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE entry (
    package INTEGER NOT NULL, component TEXT NOT NULL, path TEXT NOT NULL, type TEXT NOT NULL, size INTEGER NOT NULL,
    PRIMARY KEY (package, path)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};
`;

/** An empty one, in memory. */
export function makeDatabase(): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  database.exec(SCHEMA);
  return database;
}

/** As a whole: the file of a database that cannot be opened gives way to one that can. */
export function keepDatabase(database: DatabaseSync, path: string): DatabaseSync | undefined {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    database.prepare('VACUUM INTO ?').run(temporary);
    for (const suffix of ['-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true });
    renameSync(temporary, path);
    const kept = new DatabaseSync(path);
    kept.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    return kept;
  } catch {
    return undefined;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** `undefined` where it is missing, damaged, or of another version: made anew by the caller. */
export function tryOpen(path: string): DatabaseSync | undefined {
  return openIfSound(path, {}) ?? openIfSound(unchanging(path), { readOnly: true });
}

/** Reading takes files of its own beside a database (its write-ahead log), which a full disk or another user's root has no room for. */
function unchanging(path: string): URL {
  const url = pathToFileURL(path);
  url.search = '?immutable=1';
  return url;
}

function openIfSound(path: string | URL, options: { readOnly?: boolean }): DatabaseSync | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, options);
    if (versionOf(db) === VERSION) {
      db.prepare('SELECT count(*) FROM state').get();
      return db;
    }
  } catch {
    // damaged, or no room for the log
  }
  db?.close();
  return undefined;
}

/** 0 where nothing was written yet. */
export function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
}
