/**
 * Looks whether there is anybody to ask, before anything is loaded for it: in most homes nobody is there, and libp2p and
 * a thread for it take 0.35 s of a processor, a quarter of a small installation (measured).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nodeClock } from '../clock.ts';
import type { Layout } from '../store/layout.ts';
import { RepositoryConfigs } from '../system/repository-configs.ts';
import { askSites } from './ask-sites.ts';
import { LanDiscovery } from './lan-discovery.ts';
import { PeerBook } from './peer-book.ts';

/**
 * Packets of the local network that the thread which installs looks at: who floods it with more of them has others looked
 * for on another thread.
 */
const MOST_PACKETS = 64;

export interface ScoutOptions {
  layout: Layout;
  /** Called once: somebody may be there. Their multiaddrs, where it is not the book that has them; they may be nonsense. */
  onSomebody: (heard: readonly string[]) => void;
  /** Called when all sites have answered or failed, and the network alone is listened to. */
  onSilence: () => void;
  /** The port of multicast DNS, for tests. */
  port?: number | undefined;
}

export class Scout {
  readonly #discovery: LanDiscovery;
  readonly #over = new AbortController();
  readonly #options: ScoutOptions;
  #packets = 0;

  constructor(options: ScoutOptions) {
    const { port } = options;
    this.#options = options;
    this.#discovery = new LanDiscovery({
      addresses: () => [],
      onFound: (addresses) => this.#found(addresses),
      onPacket: () => {
        if (++this.#packets > MOST_PACKETS) this.#found([]);
      },
      ...(port !== undefined && { port }),
    });
  }

  /** Settles when all is asked that answers or fails. */
  async start(): Promise<void> {
    const { layout, onSilence } = this.#options;
    if (hasMet(layout)) {
      this.#found([]);
      return;
    }
    this.#discovery.start();
    await askSites(new RepositoryConfigs(layout).list(), { signal: this.#over.signal, onPeers: (addresses) => this.#found(addresses) });
    if (!this.#over.signal.aborted) onSilence();
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#discovery.stop();
  }

  #found(heard: readonly string[]): void {
    if (this.#over.signal.aborted) return;
    void this.stop();
    this.#options.onSomebody(heard);
  }
}

/** Whether peers were met before that can be dialled. */
function hasMet(layout: Layout): boolean {
  const path = join(layout.peer, 'peers.sqlite');
  if (!existsSync(path)) return false;
  const book = new PeerBook(path, () => nodeClock.now());
  try {
    return book.reachable.length > 0;
  } finally {
    book.close();
  }
}
