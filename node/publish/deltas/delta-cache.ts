/** Deltas that were made before, by the two manifests that they lie between. */
import { DatabaseSync } from 'node:sqlite';
import { DELTA_PACK_VERSION } from './make-delta.ts';
import type { DeltaResult } from './delta-worker.ts';

/** A table for each version of the maker: what another one made is of no use. */
const TABLE = `delta_${DELTA_PACK_VERSION}`;

export class DeltaCache {
  readonly #db: DatabaseSync;

  /** @param path of the database of the import cache */
  constructor(path: string) {
    this.#db = new DatabaseSync(path, { timeout: 5000 });
    this.#db.exec(
      `CREATE TABLE IF NOT EXISTS ${TABLE} (source TEXT NOT NULL, target TEXT NOT NULL, cid TEXT NOT NULL, size INTEGER NOT NULL, frames INTEGER NOT NULL, PRIMARY KEY (source, target)) STRICT, WITHOUT ROWID`,
    );
  }

  /** The delta; `'none'` where none pays; `undefined` where nobody tried. */
  get(from: string, to: string): DeltaResult | 'none' | undefined {
    const row = this.#db.prepare(`SELECT * FROM ${TABLE} WHERE source = ? AND target = ?`).get(from, to);
    if (row === undefined) return undefined;
    const cid = String(row['cid']);
    return cid === '' ? 'none' : { cid, size: Number(row['size']), frames: Number(row['frames']) };
  }

  set(from: string, to: string, made: DeltaResult | undefined): void {
    this.#db.prepare(`INSERT OR REPLACE INTO ${TABLE} VALUES (?, ?, ?, ?, ?)`).run(from, to, made?.cid ?? '', made?.size ?? 0, made?.frames ?? 0);
  }

  close(): void {
    this.#db.close();
  }
}
