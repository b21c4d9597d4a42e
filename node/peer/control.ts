/** What other commands ask of the daemon of their root, over a local socket: a JSON line each way. */
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerScope } from '../../core/ports/transport.ts';
import type { Layout } from '../store/layout.ts';
import type { Reachability } from './own-addresses.ts';

export type ControlRequest =
  | { do: 'status' }
  | { do: 'peers' }
  /** A ticket for the bulk carrier of a peer, to be used by the one who asks. */
  | { do: 'ticket'; peer: string }
  /** From here on the socket is a stream to the peer. */
  | { do: 'stream'; peer: string }
  /** The bulk carrier of a peer did not work from where the asker is: it is left alone for a while. */
  | { do: 'bulk-failed'; peer: string }
  | { do: 'ban'; peer: string; reason: string }
  /** There is something new to list, or to count. */
  | { do: 'refresh' }
  /** The settings changed: start anew, or end where sharing is off. */
  | { do: 'reload' }
  | { do: 'stop' };

export interface DaemonStatus {
  pid: number;
  peer: string;
  scope: PeerScope;
  addresses: string[];
  /** How peers of the swarm get to it; `none` as well while nobody has tried yet. */
  reachable: Reachability;
  /** What it is to the hash table of the swarm; `null` with the scope `lan`. */
  table: 'client' | 'server' | null;
  /** Milliseconds since the epoch. */
  since: number;
  /** Packages and contents that are served, and repositories they are of. */
  packages: number;
  contents: number;
  repositories: number;
  /** Streams that are served now. */
  streams: number;
}

export interface PeerStatus {
  id: string;
  scope: PeerScope;
  transport: string;
  address: string;
  /** Milliseconds there and back; `null` before it was measured. */
  roundTrip: number | null;
  /** Milliseconds since the epoch. */
  since: number;
  /** Bytes a second that it was sent just now. */
  rate: number;
}

/** Characters of a socket's path that every system takes (`sun_path` in unix(7)). */
const MAX_PATH = 100;
/** Characters of one line. */
export const MAX_LINE = 64 * 1024;

/**
 * The socket of a root's daemon: in the root, unless its path is too long for one.
 *
 * @param name `ask` for the peer of a command that holds the lock of the root
 */
export function controlSocket({ root, peer }: Layout, environment: Record<string, string | undefined> = process.env, name: 'control' | 'ask' = 'control'): string {
  const path = join(peer, `${name}.sock`);
  if (Buffer.byteLength(path) <= MAX_PATH) return path;
  const hash = createHash('sha256').update(root).digest('hex').slice(0, 24);
  return join(environment['XDG_RUNTIME_DIR'] || tmpdir(), `moss-${hash}${name === 'control' ? '' : `-${name}`}.sock`);
}
