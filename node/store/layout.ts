import { join } from 'node:path';
import type { FileId } from '../../core/dag/file-id.ts';
import { RESERVED_TOP } from '../../core/dag/path.ts';

/**
 * Directories of the store, by the next to last character of an id (flatfs calls that next-to-last/1). Some make files
 * quicker to create than one does, and a thousand slower again (measured).
 */
export const SHARDS = 'abcdefghijklmnopqrstuvwxyz234567';

/** Which of the directories holds a file. */
export function shardOf(id: FileId): string {
  return id.charAt(id.length - 2);
}

/** Where everything lies in a root. */
export class Layout {
  readonly root: string;
  readonly moss: string;
  readonly store: string;
  readonly staging: string;
  /** Symbolic links that states have names of. */
  readonly symlinks: string;
  readonly blocks: string;
  readonly states: string;
  readonly current: string;
  readonly database: string;
  readonly lock: string;
  readonly repositories: string;
  readonly settings: string;
  /** Which state's configuration is still to be done, if the file is there. */
  readonly configuring: string;
  /** Store entries that were found altered: never linked again. */
  readonly quarantine: string;
  /** Which states no pruning takes away. */
  readonly pins: string;
  /** What this root is as a peer: its key, whom it met, and its control socket. */
  readonly peer: string;

  constructor(root: string) {
    this.root = root;
    this.moss = join(root, RESERVED_TOP);
    this.store = `${this.moss}/store`;
    this.staging = `${this.moss}/staging`;
    this.symlinks = `${this.moss}/symlinks`;
    this.blocks = `${this.moss}/blocks`;
    this.states = `${this.moss}/states`;
    this.current = `${this.moss}/current`;
    this.database = `${this.moss}/moss.sqlite`;
    this.lock = `${this.moss}/lock.sqlite`;
    this.repositories = `${this.moss}/repositories`;
    this.settings = `${this.moss}/config.toml`;
    this.configuring = `${this.moss}/configuring.json`;
    this.quarantine = `${this.moss}/quarantine`;
    this.pins = `${this.moss}/pins.json`;
    this.peer = `${this.moss}/peer`;
  }

  state(number: number): string {
    return `${this.states}/${number}`;
  }

  /** A file of the store. */
  stored(id: FileId, executable: boolean): string {
    return `${this.storeShard(shardOf(id))}/${id}${executable ? '.x' : ''}`;
  }

  /** The one symbolic link with a target, by the target's SHA-256 in hex. */
  symlink(digest: string): string {
    return `${this.symlinks}/${digest}`;
  }

  storeShard(shard: string): string {
    return `${this.store}/${shard}`;
  }

  /** A file on its way into the store: it has the name there that it will have. */
  staged(id: FileId, executable: boolean): string {
    return `${this.stagingShard(shardOf(id))}/${id}${executable ? '.x' : ''}`;
  }

  stagingShard(shard: string): string {
    return `${this.staging}/${shard}`;
  }

  /** A file that comes in several pieces. */
  partial(id: FileId): string {
    return `${this.stagingShard(shardOf(id))}/${id}.part`;
  }

  /** Unpacked content on its way through GNU gzip. */
  get recipes(): string {
    return `${this.staging}/recipes`;
  }

  /** Which pieces of partial files are complete: one JSON line each. */
  get journal(): string {
    return `${this.staging}/journal`;
  }
}
