/** Whom this root met, what it banned, and how much went to and fro: SQLite, shared by the daemon and other commands. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import type { SourceKind } from '../../core/ports/source.ts';
import type { PeerScope } from '../../core/ports/transport.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS peer (
    id TEXT PRIMARY KEY, addresses TEXT NOT NULL DEFAULT '[]', scope TEXT NOT NULL DEFAULT 'swarm', seen INTEGER NOT NULL DEFAULT 0,
    sent INTEGER NOT NULL DEFAULT 0, received INTEGER NOT NULL DEFAULT 0, banned INTEGER, reason TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS traffic (
    month TEXT NOT NULL, direction TEXT NOT NULL, kind TEXT NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (month, direction, kind)
  ) STRICT, WITHOUT ROWID;
`;
/** Peers that are remembered. */
const MOST = 512;
/** Milliseconds that a ban lasts: a machine may be mended, or its address belong to another one. */
const BAN = 30 * 24 * 3600 * 1000;

export type Direction = 'sent' | 'received';
/** What bytes are counted as: the kind of the source, or what did not have to travel. */
export type TrafficKind = SourceKind | 'delta' | 'here';

export interface KnownPeer {
  id: string;
  /** Multiaddrs, with the peer id in each. */
  addresses: string[];
  scope: PeerScope;
  /** Milliseconds since the epoch. */
  seen: number;
  /** Bytes. */
  sent: number;
  received: number;
  /** Why and since when nobody has to do with it; `undefined` for the others. */
  ban: { since: number; reason: string } | undefined;
}

export interface Traffic {
  /** `2026-11`. */
  month: string;
  direction: Direction;
  kind: TrafficKind;
  bytes: number;
}

export class PeerBook {
  readonly #db: DatabaseSync;
  readonly #now: () => number;

  constructor(path: string, now: () => number = Date.now) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#db = new DatabaseSync(path);
    this.#db.exec(`PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${SCHEMA}`);
    this.#now = now;
  }

  close(): void {
    this.#db.close();
  }

  /** Notes that a peer was met. */
  met(id: string, { addresses, scope }: { addresses: readonly string[]; scope: PeerScope }): void {
    this.#db
      .prepare('INSERT INTO peer (id, addresses, scope, seen) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET addresses = excluded.addresses, scope = excluded.scope, seen = excluded.seen')
      .run(id, JSON.stringify(addresses), scope, this.#now());
    this.#db.prepare('DELETE FROM peer WHERE banned IS NULL AND id NOT IN (SELECT id FROM peer ORDER BY seen DESC LIMIT ?)').run(MOST);
  }

  /** Counts bytes of content that went to a peer or came from it. */
  count(id: string, direction: Direction, bytes: number): void {
    const column = direction === 'sent' ? 'sent' : 'received';
    this.#db.prepare(`INSERT INTO peer (id, ${column}) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET ${column} = ${column} + excluded.${column}`).run(id, bytes);
  }

  /** Counts bytes of a month. */
  add(direction: Direction, kind: TrafficKind, bytes: number): void {
    if (bytes === 0) return;
    this.#db
      .prepare('INSERT INTO traffic VALUES (?, ?, ?, ?) ON CONFLICT (month, direction, kind) DO UPDATE SET bytes = bytes + excluded.bytes')
      .run(this.#month(), direction, kind, bytes);
  }

  ban(id: string, reason: string): void {
    this.#db.prepare('INSERT INTO peer (id, banned, reason) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET banned = excluded.banned, reason = excluded.reason').run(id, this.#now(), reason);
  }

  /** All peers, the last met first. */
  peers(): KnownPeer[] {
    const since = this.#now() - BAN;
    return this.#db.prepare('SELECT * FROM peer ORDER BY seen DESC, id').all().map((row) => readPeer(row, since));
  }

  /** Peers that may be dialled, the last met first. */
  get reachable(): KnownPeer[] {
    return this.peers().filter(({ ban, addresses }) => ban === undefined && addresses.length > 0);
  }

  get banned(): string[] {
    return this.peers().filter(({ ban }) => ban !== undefined).map(({ id }) => id);
  }

  traffic(): Traffic[] {
    return this.#db.prepare('SELECT * FROM traffic ORDER BY month DESC, direction, kind').all().map(readTraffic);
  }

  /** Bytes that went beyond the local network this month: what the monthly allowance is about. */
  get sentThisMonth(): number {
    const row = this.#db.prepare("SELECT sum(bytes) AS bytes FROM traffic WHERE month = ? AND direction = 'sent' AND kind <> 'lan'").get(this.#month());
    return Number(row?.['bytes'] ?? 0);
  }

  #month(): string {
    return new Date(this.#now()).toISOString().slice(0, 7);
  }
}

function readPeer(row: Record<string, SQLOutputValue>, since: number): KnownPeer {
  const banned = row['banned'] === null ? undefined : Number(row['banned']);
  const addresses: unknown = JSON.parse(String(row['addresses']));
  return {
    id: String(row['id']),
    addresses: Array.isArray(addresses) ? addresses.map(String) : [],
    scope: row['scope'] === 'lan' ? 'lan' : 'swarm',
    seen: Number(row['seen']),
    sent: Number(row['sent']),
    received: Number(row['received']),
    ban: banned === undefined || banned < since ? undefined : { since: banned, reason: String(row['reason']) },
  };
}

/** Written by `add` alone. */
function readTraffic(row: Record<string, SQLOutputValue>): Traffic {
  return { month: String(row['month']), direction: row['direction'] as Direction, kind: row['kind'] as TrafficKind, bytes: Number(row['bytes']) };
}
