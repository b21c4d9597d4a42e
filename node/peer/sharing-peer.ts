/** A root as a peer: its host, what it serves, whom it knows, and who counts the bytes. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DeltaMaker } from '../../core/exchange/delta-maker.ts';
import { ServedRuns } from '../../core/exchange/served-runs.ts';
import { ExchangeServer, LEAVE_OUT } from '../../core/exchange/server.ts';
import type { Listener } from '../../core/install/event.ts';
import type { PeerScope, StreamHandler } from '../../core/ports/transport.ts';
import { nodeClock } from '../clock.ts';
import type { Settings } from '../config/settings.ts';
import { Rate } from '../../core/exchange/rate.ts';
import type { Layout } from '../store/layout.ts';
import { activeNumber } from '../system/installed.ts';
import { Repositories } from '../system/repositories.ts';
import { backgroundCompressor } from '../zstd.ts';
import { Acquaintances } from './acquaintances.ts';
import { reachOf } from './address.ts';
import { browserListening } from './browser-listening.ts';
import { Host, type HostEvents } from './host.ts';
import { loadIdentity } from './identity.ts';
import { LanDiscovery } from './lan-discovery.ts';
import { listElsewhere } from './list-elsewhere.ts';
import { PeerBook } from './peer-book.ts';
import { readPorts, writePorts } from './ports-file.ts';
import type { RemotePeer } from './remote-peer.ts';
import { RootHoldings } from './root-holdings.ts';
import { uploadLimits } from './upload-limits.ts';

export interface SharingOptions {
  layout: Layout;
  settings: Settings;
  /** What was agreed to. */
  scope: PeerScope;
  /** Whether others can reach this peer and ask it; else it only asks. */
  serves: boolean;
  /** Addresses that were heard of before, which are tried at once. */
  heard?: readonly string[] | undefined;
  onEvent: Listener;
}

/** Milliseconds between two looks at whether there is another state, or another index. */
const LOOK = 2000;
/** Milliseconds between two writings of the book. */
const NOTE = 5000;

export class SharingPeer {
  readonly host: Host;
  readonly book: PeerBook;
  readonly holdings: RootHoldings;
  readonly started = nodeClock.now();
  /** Called when another peer is there, or one is gone, and when dialling begins or ends. */
  onPeers: () => void = () => undefined;
  readonly #options: SharingOptions;
  readonly #acquaintances: Acquaintances;
  readonly #discovery: LanDiscovery;
  readonly #servers: ExchangeServer[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  /** Bytes that were sent and are not in the book yet, by peer. */
  readonly #sent = new Map<string, { scope: PeerScope; bytes: number }>();
  readonly #rates = new Map<string, Rate>();
  /** What the listing was made of. */
  #seen = '';
  #listing: Promise<void> | undefined;
  readonly #stop = new AbortController();

  static async start(options: SharingOptions): Promise<SharingPeer> {
    const { layout, settings, scope, serves } = options;
    const book = new PeerBook(join(layout.peer, 'peers.sqlite'), () => nodeClock.now());
    try {
      const ports = readPorts(layout.peer);
      const isReached = serves && scope === 'swarm';
      const onWarning = (message: string): void => options.onEvent({ type: 'warning', message: `sharing: ${message}` });
      const events: HostEvents = {};
      const host = await Host.create(
        {
          key: loadIdentity(join(layout.peer, 'key.pem')),
          scope,
          listen: serves ? { host: settings['peer-host'] || undefined, port: settings['peer-port'] || ports.port, bulkPort: ports.bulkPort, webSocketPort: isReached ? (ports.webSocketPort ?? 0) : undefined } : undefined,
          // Browsers that give are no machines of the local network.
          ...(isReached && (await browserListening({ state: layout.peer, webTransport: settings.webtransport, connections: settings.peers, onWarning }))),
          swarm: scope === 'swarm' ? { table: serves ? 'auto' : 'client', relay: false, relayed: serves, announce: [] } : undefined,
          connections: settings.peers,
          banned: book.banned,
        },
        events,
      );
      const sharing = new SharingPeer(options, host, book);
      events.onPeer = (peer) => sharing.#met(peer);
      events.onGone = (id) => {
        sharing.#rates.delete(id);
        sharing.onPeers();
      };
      await sharing.#begin();
      if (serves) writePorts(layout.peer, host.ports);
      return sharing;
    } catch (error) {
      book.close();
      throw error;
    }
  }

  private constructor(options: SharingOptions, host: Host, book: PeerBook) {
    this.#options = options;
    this.host = host;
    this.book = book;
    this.holdings = new RootHoldings(options.layout);
    const repositories = new Repositories({ layout: options.layout, settings: options.settings, onEvent: options.onEvent });
    this.#acquaintances = new Acquaintances({ host, book, repositories, announces: options.serves, onDialling: () => this.onPeers() });
    this.#discovery = new LanDiscovery({
      addresses: () => (options.serves ? host.addresses.filter((address) => reachOf(address).scope === 'lan').map(String) : []),
      onFound: (addresses) => this.#acquaintances.tryAll(addresses),
    });
  }

  /** Whether peers are being looked up at sites, or dialled. */
  get isDialling(): boolean {
    return this.#acquaintances.isDialling;
  }

  /** Streams that are served now. */
  get streams(): number {
    return this.#servers.reduce((sum, server) => sum + server.streams, 0);
  }

  /** Bytes a second that a peer was sent just now. */
  rateTo(id: string): number {
    return this.#rates.get(id)?.perSecond(performance.now()) ?? 0;
  }

  /** Has nothing more to do with a peer. */
  async ban(id: string, reason: string): Promise<void> {
    this.book.ban(id, reason);
    await this.host.ban(id);
  }

  /** Takes note of another state, or another index. */
  async refresh(): Promise<void> {
    await (this.#listing ??= this.#list().finally(() => {
      this.#listing = undefined;
    }));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const timer of this.#timers) clearInterval(timer);
    for (const server of this.#servers) server.close();
    this.#acquaintances.stop();
    await this.#discovery.stop();
    await this.host.stop();
    this.#writeBook();
    this.book.close();
  }

  async #begin(): Promise<void> {
    if (this.#options.serves) {
      await this.refresh();
      await this.host.handle(this.#handler());
      this.#timers.push(
        setInterval(() => {
          if (fingerprintOf(this.#options.layout) !== this.#seen) this.refresh().catch((error: unknown) => this.#warn(error));
        }, LOOK),
      );
    }
    await this.host.start();
    this.#timers.push(setInterval(() => this.#writeBook(), NOTE));
    this.#acquaintances.tryAll(this.#options.heard ?? []);
    this.#discovery.start();
    this.#acquaintances.start();
  }

  /** On the local network what is installed is served; beyond it only where the user said so. */
  #handler(): StreamHandler {
    const { settings } = this.#options;
    const onServed = ({ id, scope }: { id: string; scope: PeerScope }, bytes: number): void => {
      const sum = this.#sent.get(id) ?? { scope, bytes: 0 };
      sum.bytes += bytes;
      this.#sent.set(id, sum);
      this.#rate(id).add(bytes, performance.now());
    };
    const onBroken = ({ id }: { id: string }): void => void this.host.sendAway(id, LEAVE_OUT);
    const deltas = new DeltaMaker({ clock: nodeClock, compressor: backgroundCompressor });
    const common = { clock: nodeClock, compressor: backgroundCompressor, upload: uploadLimits(settings, this.book), deltas, runs: ServedRuns, onServed, onBroken };
    const near = new ExchangeServer({ ...common, holdings: this.holdings });
    const far = settings['swarm-serves'] === 'installed' ? near : new ExchangeServer({ ...common, holdings: new RootHoldings(this.#options.layout) });
    this.#servers.push(...new Set([near, far]));
    return (stream, from) => (from.scope === 'lan' ? near : far).handle(stream, from);
  }

  #rate(id: string): Rate {
    const known = this.#rates.get(id) ?? new Rate();
    this.#rates.set(id, known);
    return known;
  }

  #met(peer: RemotePeer): void {
    this.onPeers();
    this.host
      .addressesOf(peer.id)
      .then((addresses) => this.book.met(peer.id, { addresses, scope: peer.scope }))
      .catch((error: unknown) => this.#warn(error));
  }

  async #list(): Promise<void> {
    const { layout, settings } = this.#options;
    this.#seen = fingerprintOf(layout);
    this.holdings.listing = await listElsewhere(layout, settings, this.#stop);
  }

  #writeBook(): void {
    for (const [id, { scope, bytes }] of this.#sent) {
      this.book.count(id, 'sent', bytes);
      this.book.add('sent', scope, bytes);
    }
    this.#sent.clear();
  }

  #warn(error: unknown): void {
    this.#options.onEvent({ type: 'warning', message: `sharing: ${error instanceof Error ? error.message : String(error)}` });
  }
}

/** What tells that the listing is out of date. */
function fingerprintOf(layout: Layout): string {
  const names = existsSync(layout.repositories) ? readdirSync(layout.repositories) : [];
  const indexes = names.map((name) => {
    const stat = statSync(join(layout.repositories, name, 'index'), { throwIfNoEntry: false });
    return `${name} ${stat?.mtimeMs} ${stat?.size}`;
  });
  return `${activeNumber(layout)} ${indexes.join(' ')}`;
}
