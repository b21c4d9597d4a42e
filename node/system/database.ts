/**
 * What is installed, by question: SQLite over what the states record and the manifests say. Nothing is only here: the
 * database is made anew from the states and the blocks when it is lost or damaged.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parseCid } from '../../core/dag/cid.ts';
import type { Entry } from '../../core/dag/entry.ts';
import type { PackageFormat } from '../../core/dag/package.ts';
import { comparePaths } from '../../core/dag/path.ts';
import type { ComponentWishes, InstalledPackage, State } from '../../core/install/state.ts';
import { keepDatabase, makeDatabase, tryOpen, VERSION, versionOf } from './database-file.ts';

/** Rows that are compared before whoever compares may do something else: some 5 ms. */
const PAUSE_ROWS = 4096;

/** One row of `moss list`. */
export interface InstalledRow {
  name: string;
  version: string;
  release: number;
  architecture: string;
  format: PackageFormat;
  manifest: string;
  repository: string;
  explicit: boolean;
  components: string[];
  wishes?: ComponentWishes | undefined;
  summary: string;
  /** Bytes on disk of the components that are installed. */
  size: number;
}

/** What the database holds of a package beyond what the state records. */
export interface PackageFacts {
  summary: string;
  size: number;
  /** Rows of all installed components. */
  entries: { component: string; entry: Entry }[];
}

export class Database {
  readonly #db: DatabaseSync;

  /**
   * One that is made anew is whole or not there; where it cannot be kept, as on a full disk or in another user's root, it
   * serves this once.
   *
   * @param rebuild fills a new database; called when the file is missing, damaged, or of another version
   */
  static async open(path: string, rebuild: (database: Database) => Promise<void>): Promise<Database> {
    const database = tryOpen(path);
    if (database !== undefined) return new Database(database);
    const fresh = makeDatabase();
    const made = new Database(fresh);
    await rebuild(made);
    const kept = keepDatabase(fresh, path);
    if (kept === undefined) return made;
    fresh.close();
    return new Database(kept);
  }

  /**
   * Whether the database says of a state what its record and its manifests say, and is sound in itself.
   *
   * @param facts of all packages of the state
   * @param pause awaited now and then, for this thread to do something else in between
   */
  static async fits(path: string, state: State, facts: ReadonlyMap<string, PackageFacts>, pause: () => Promise<void>): Promise<boolean> {
    const opened = tryOpen(path);
    if (opened === undefined) return false;
    try {
      const database = new Database(opened);
      return opened.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] === 'ok' && (await database.#holds(state, facts, pause));
    } catch {
      return false;
    } finally {
      opened.close();
    }
  }

  /** Whether another version of moss made the database: that is no damage, and `open` makes it anew. */
  static isOfAnotherVersion(path: string): boolean {
    try {
      const db = new DatabaseSync(path, { readOnly: true });
      try {
        const version = versionOf(db);
        return version !== 0 && version !== VERSION;
      } finally {
        db.close();
      }
    } catch {
      return false;
    }
  }

  /** The record of a state, where it is entered and can be read. */
  static recordOf(path: string, number: number): State | undefined {
    const opened = tryOpen(path);
    if (opened === undefined) return undefined;
    try {
      const row = opened.prepare('SELECT created, reason FROM state WHERE number = ?').get(number);
      if (row === undefined) return undefined;
      const packages = new Database(opened).installed(number).map(packageOf);
      return { number, created: Number(row['created']), reason: String(row['reason']), packages };
    } catch {
      return undefined;
    } finally {
      opened.close();
    }
  }

  private constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec('PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;');
  }

  close(): void {
    this.#db.close();
  }

  /** Enters the file tables of packages that a state is going to hold; those that are known stay as they are. */
  addPackages(facts: ReadonlyMap<string, PackageFacts>): void {
    this.#transaction(() => {
      const name = this.#db.prepare('INSERT OR IGNORE INTO package (manifest) VALUES (?)');
      const find = this.#db.prepare('SELECT id FROM package WHERE manifest = ?');
      const known = this.#db.prepare('SELECT 1 FROM entry WHERE package = ? AND component = ? LIMIT 1');
      const add = this.#db.prepare('INSERT OR IGNORE INTO entry VALUES (?, ?, ?, ?, ?)');
      for (const [manifest, { entries }] of facts) {
        name.run(manifest);
        const id = Number(find.get(manifest)?.['id']);
        for (const [component, rows] of Map.groupBy(entries, (row) => row.component)) {
          if (known.get(id, component) !== undefined) continue;
          for (const { entry } of rows) add.run(id, component, entry.path, entry.type, entry.type === 'file' ? entry.size : 0);
        }
      }
    });
  }

  /** Enters a state, whose packages are entered. */
  addState(state: State, facts: ReadonlyMap<string, PackageFacts>): void {
    this.#transaction(() => {
      this.#db.prepare('INSERT OR REPLACE INTO state VALUES (?, ?, ?)').run(state.number, state.created, state.reason);
      const add = this.#db.prepare('INSERT OR REPLACE INTO installed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
      for (const each of state.packages) {
        const manifest = each.manifest.toString();
        const { summary = '', size = 0 } = facts.get(manifest) ?? {};
        add.run(
          state.number, each.name, each.version, each.release, each.architecture, each.format, manifest, each.repository,
          each.explicit ? 1 : 0, JSON.stringify(each.components), each.wishes === undefined ? null : JSON.stringify(each.wishes), summary, size,
        );
      }
    });
  }

  removeState(number: number): void {
    this.#transaction(() => {
      this.#db.prepare('DELETE FROM state WHERE number = ?').run(number);
      this.#db.exec('DELETE FROM package WHERE manifest NOT IN (SELECT manifest FROM installed)');
      this.#db.exec('DELETE FROM entry WHERE package NOT IN (SELECT id FROM package)');
    });
  }

  /** Numbers of the states that are entered, in order. */
  states(): number[] {
    return this.#db.prepare('SELECT number FROM state ORDER BY number').all().map((row) => Number(row['number']));
  }

  /** The packages of a state, by name. */
  installed(state: number): InstalledRow[] {
    return this.#db.prepare('SELECT * FROM installed WHERE state = ? ORDER BY name').all(state).map(readInstalled);
  }

  /** The paths of an installed package, in order. */
  files(state: number, name: string): { path: string; type: string; size: number; component: string }[] {
    const statement = this.#db.prepare(
      `SELECT path, type, entry.size AS size, component FROM installed JOIN package USING (manifest) JOIN entry ON package = id
       WHERE state = ? AND name = ? AND component IN (SELECT value FROM json_each(components)) ORDER BY path`,
    );
    return readRows(statement, state, name).map((row) => ({
      path: String(row['path']),
      type: String(row['type']),
      size: Number(row['size']),
      component: String(row['component']),
    }));
  }

  /** The installed packages that hold a path. */
  owners(state: number, path: string): { name: string; version: string; type: string }[] {
    const statement = this.#db.prepare(
      `SELECT name, version, type FROM installed JOIN package USING (manifest) JOIN entry ON package = id
       WHERE state = ? AND path = ? AND component IN (SELECT value FROM json_each(components)) ORDER BY name`,
    );
    return readRows(statement, state, path).map((row) => ({ name: String(row['name']), version: String(row['version']), type: String(row['type']) }));
  }

  async #holds(state: State, facts: ReadonlyMap<string, PackageFacts>, pause: () => Promise<void>): Promise<boolean> {
    const wanted = state.packages.map(({ manifest, ...each }) => {
      const { summary = '', size = 0 } = facts.get(manifest.toString()) ?? {};
      return Object.assign(each, { manifest: manifest.toString(), summary, size });
    });
    if (canonical(this.installed(state.number)) !== canonical(wanted)) return false;
    // As one text for each package: as rows of objects it takes eight times as long (measured).
    const asText = this.#db.prepare(
      `SELECT json_group_array(json_array(path, type, size, component)) AS text FROM
       (SELECT entry.* FROM package JOIN entry ON package = id WHERE manifest = ? AND component IN (SELECT value FROM json_each(?)) ORDER BY path)`,
    );
    let rows = 0;
    for (const { name, manifest, components } of state.packages) {
      const wantedRows = (facts.get(manifest.toString())?.entries ?? [])
        .toSorted((a, b) => comparePaths(a.entry.path, b.entry.path))
        .map(({ component, entry }) => [entry.path, entry.type, entry.type === 'file' ? entry.size : 0, component]);
      rows += wantedRows.length;
      if (rows > PAUSE_ROWS) {
        rows = 0;
        await pause();
      }
      if (asText.get(manifest.toString(), JSON.stringify(components))?.['text'] === JSON.stringify(wantedRows)) continue;
      // The order of texts in SQLite is that of their bytes, and its JSON is not quite that of JavaScript.
      const wantedFiles = wantedRows.map(([path, type, size, component]) => ({ path, type, size, component }));
      if (canonical(this.files(state.number, name)) !== canonical(wantedFiles)) return false;
    }
    return true;
  }

  #transaction(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}

/** The same text for the same rows, whatever their order and that of their fields. */
function canonical(rows: readonly object[]): string {
  return rows.map((row) => JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))).toSorted().join('\n');
}

function readRows(statement: StatementSync, ...values: (string | number)[]): Record<string, unknown>[] {
  return statement.all(...values);
}

function packageOf({ name, version, release, architecture, format, manifest, repository, explicit, components, wishes }: InstalledRow): InstalledPackage {
  return { name, version, release, architecture, format, manifest: parseCid(manifest), repository, explicit, components, ...(wishes !== undefined && { wishes }) };
}

function readInstalled(row: Record<string, unknown>): InstalledRow {
  return {
    name: String(row['name']),
    version: String(row['version']),
    release: Number(row['release']),
    architecture: String(row['architecture']),
    // Written from an InstalledPackage by `addState`.
    format: String(row['format']) as PackageFormat,
    manifest: String(row['manifest']),
    repository: String(row['repository']),
    explicit: row['explicit'] === 1,
    components: JSON.parse(String(row['components'])) as string[],
    ...(typeof row['wishes'] === 'string' && { wishes: JSON.parse(row['wishes']) as ComponentWishes }),
    summary: String(row['summary']),
    size: Number(row['size']),
  };
}
