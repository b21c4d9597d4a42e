import { join } from 'node:path';
import type { FileId } from '../../core/dag/file-id.ts';
import { RESERVED_TOP } from '../../core/dag/path.ts';

/** Where everything lies in a root. */
export class Layout {
  readonly root: string;
  readonly moss: string;
  readonly store: string;
  readonly staging: string;
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

  constructor(root: string) {
    this.root = root;
    this.moss = join(root, RESERVED_TOP);
    this.store = join(this.moss, 'store');
    this.staging = join(this.moss, 'staging');
    this.blocks = join(this.moss, 'blocks');
    this.states = join(this.moss, 'states');
    this.current = join(this.moss, 'current');
    this.database = join(this.moss, 'moss.sqlite');
    this.lock = join(this.moss, 'lock.sqlite');
    this.repositories = join(this.moss, 'repositories');
    this.settings = join(this.moss, 'config.toml');
    this.configuring = join(this.moss, 'configuring.json');
    this.quarantine = join(this.moss, 'quarantine');
  }

  state(number: number): string {
    return join(this.states, String(number));
  }

  /**
   * A file of the store. The last two characters but one name the directory: those before are alike in all ids (the
   * next-to-last/2 scheme of flatfs).
   */
  stored(id: FileId, executable: boolean): string {
    return `${this.store}/${id.slice(-3, -1)}/${id}${executable ? '.x' : ''}`;
  }

  staged(id: FileId): string {
    return `${this.staging}/${id}`;
  }

  /** A file that comes in several pieces. */
  partial(id: FileId): string {
    return `${this.staging}/${id}.part`;
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
