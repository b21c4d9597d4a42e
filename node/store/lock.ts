import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { MossError } from '../../core/error.ts';

const RETRY_MS = 100;

export interface LockOptions {
  /** Called once when the lock is taken by somebody else. */
  onWait: () => void;
  signal?: AbortSignal | undefined;
}

/**
 * One writer at a time. The lock is SQLite's own on an empty database: the kernel gives it back when the process ends,
 * however it ends, so that there are no stale locks.
 */
export class Lock {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Takes the lock, waiting for whoever has it. */
  static async take(path: string, { onWait, signal }: LockOptions): Promise<Lock> {
    for (let tries = 0; ; tries++) {
      signal?.throwIfAborted();
      // SQLite would lock what can only be read, too.
      accessSync(dirname(path), constants.W_OK);
      let db: DatabaseSync | undefined;
      try {
        db = new DatabaseSync(path, { timeout: 0 });
        // A journal in a file would take room on a full disk, where what frees some needs the lock.
        db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;');
        return new Lock(db);
      } catch (error) {
        db?.close();
        if (!isBusy(error)) throw new MossError('io', `the lock ${path} cannot be taken`, { hint: 'If it is damaged, remove it while no moss is at work here.', cause: error, data: { path } });
      }
      if (tries === 0) onWait();
      await delay(RETRY_MS, undefined, signal === undefined ? {} : { signal });
    }
  }

  release(): void {
    this.#db.exec('ROLLBACK');
    this.#db.close();
  }
}

/** SQLITE_BUSY (5) or SQLITE_LOCKED (6), with their extended forms. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && [5, 6].includes(error.errcode & 0xff);
}
