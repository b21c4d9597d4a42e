/** One root: opened, with everything that works on it. The one place where its parts are put together. */
import { existsSync, mkdirSync } from 'node:fs';
import type { Listener } from '../../core/install/event.ts';
import type { State } from '../../core/install/state.ts';
import { loadSettings, userSettingsFile, type Settings } from '../config/settings.ts';
import type { PeerAccess } from '../peer/peer-access.ts';
import { FileStore } from '../store/file-store.ts';
import { Layout } from '../store/layout.ts';
import { Lock } from '../store/lock.ts';
import type { StorePool } from '../store/staging.ts';
import { openStorePool } from '../store/pool.ts';
import { activeState } from './installed.ts';
import { keepYoungGenerationSmall } from './memory.ts';
import { PackageStore } from './package-store.ts';
import { recoverRoot } from './recover.ts';
import { Repositories } from './repositories.ts';

export interface OpenOptions {
  root: string;
  onEvent: Listener;
  signal?: AbortSignal | undefined;
  environment?: Record<string, string | undefined>;
  /**
   * Whether peers may be asked, where the settings say so: a search for them begins at once. `early` is for updates, of which
   * peers bring the first bytes: then all is loaded that it takes, whether somebody is there or not.
   */
  asksPeers?: boolean | 'early';
}

export class System {
  readonly layout: Layout;
  readonly settings: Settings;
  readonly onEvent: Listener;
  readonly repositories: Repositories;
  readonly packages: PackageStore;
  readonly pool: StorePool;
  readonly store: FileStore;
  /** Peers that may be asked; `undefined` where sharing is off. */
  readonly peers: PeerAccess | undefined;
  readonly #lock: Lock | undefined;

  /** Opens a root to read from it; an empty one is made where there is none. */
  static async open(options: OpenOptions): Promise<System> {
    const { layout, settings } = await prepare(options);
    return new System(layout, settings, options, undefined);
  }

  /** Opens a root to change it: alone, and after what a crash left behind was put in order. */
  static async openToWrite(options: OpenOptions): Promise<System> {
    const { layout, settings } = await prepare(options);
    const lock = await Lock.take(layout.lock, {
      onWait: () => options.onEvent({ type: 'waiting', what: 'another moss that changes this root' }),
      signal: options.signal,
    });
    const system = new System(layout, settings, options, lock, await accessPeers(layout, settings, options));
    try {
      await recoverRoot(system);
      return system;
    } catch (error) {
      await system.close();
      throw error;
    }
  }

  private constructor(layout: Layout, settings: Settings, { onEvent }: OpenOptions, lock: Lock | undefined, peers?: PeerAccess) {
    // Who only reads makes little of it, and its threads start sooner without.
    if (lock !== undefined) keepYoungGenerationSmall();
    this.layout = layout;
    this.settings = settings;
    this.onEvent = onEvent;
    this.#lock = lock;
    this.peers = peers;
    // Who only reads has little else to do than to look at files, as the threads do.
    this.pool = openStorePool({ helped: lock === undefined, asksPeers: peers !== undefined });
    this.packages = new PackageStore(layout);
    this.store = new FileStore(layout, this.pool);
    this.repositories = new Repositories({ layout, settings, onEvent });
  }

  /** The active state; `undefined` where nothing was installed yet. */
  get active(): State | undefined {
    return activeState(this.layout);
  }

  async close(): Promise<void> {
    await this.peers?.close();
    await this.pool.close();
    this.#lock?.release();
  }
}

/** What peers take is loaded only where somebody agreed to them. */
async function accessPeers(layout: Layout, settings: Settings, { asksPeers, onEvent }: OpenOptions): Promise<PeerAccess | undefined> {
  if (asksPeers === undefined || asksPeers === false || settings.share === 'off') return undefined;
  const { PeerAccess } = await import('../peer/peer-access.ts');
  return new PeerAccess({ layout, settings, onEvent, early: asksPeers === 'early' });
}

async function prepare({ root, environment = process.env }: OpenOptions): Promise<{ layout: Layout; settings: Settings }> {
  const layout = new Layout(root);
  for (const directory of [root, layout.moss, layout.states, layout.repositories]) if (!existsSync(directory)) mkdirSync(directory, { recursive: true });
  return { layout, settings: await loadSettings([userSettingsFile(environment), layout.settings]) };
}
