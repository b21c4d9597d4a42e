/** What `moss serve` is beside a web server: a peer that serves the blocks of a site, a relay, and a router for browsers. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ExchangeServer, LEAVE_OUT } from '../../core/exchange/server.ts';
import { MossError } from '../../core/error.ts';
import { nodeClock } from '../clock.ts';
import { Acquaintances } from './acquaintances.ts';
import { reachOf } from './address.ts';
import { browserListening } from './browser-listening.ts';
import { Host, parseMultiaddr } from './host.ts';
import { loadIdentity } from './identity.ts';
import { LanDiscovery } from './lan-discovery.ts';
import { PeerBook } from './peer-book.ts';
import { readPorts, writePorts } from './ports-file.ts';
import { readServedSite } from './served-site.ts';
import { isLoopback } from './scope.ts';
import { SiteHoldings } from './site-holdings.ts';
import { StunServer } from './stun-server.ts';

export interface SitePeerOptions {
  /** The site's directory. */
  site: string;
  /** Where its key, its ports and its book are kept: not in the site, which is public. */
  state: string;
  /** Where to listen: an address of this machine, or of all. */
  host: string;
  /** 0: the port of last time, or any. */
  port: number;
  relay: boolean;
  /** Whether browsers may come by WebTransport, too. */
  webTransport: boolean;
  /** Multiaddrs to announce, where this machine does not know its own. */
  announce: readonly string[];
  /** Multiaddrs of peers to meet at the start. */
  bootstrap: readonly string[];
  connections: number;
  onWarning: (message: string) => void;
}

/** Milliseconds between two looks at whether there is a new revision. */
const LOOK = 5000;

export class SitePeer {
  readonly host: Host;
  readonly holdings: SiteHoldings;
  readonly #server: ExchangeServer;
  readonly #acquaintances: Acquaintances;
  readonly #discovery: LanDiscovery;
  readonly #book: PeerBook;
  readonly #timer: NodeJS.Timeout;
  #stun: StunServer | undefined;

  static async start(options: SitePeerOptions): Promise<SitePeer> {
    const { site, state, host: address, port, relay, announce, bootstrap, connections, webTransport, onWarning } = options;
    const known = await readServedSite(site);
    const ports = readPorts(state);
    for (const each of [...announce, ...bootstrap]) parseMultiaddr(each);
    const host = await Host.create({
      ...(await browserListening({ state, webTransport, connections, onWarning })),
      key: loadIdentity(join(state, 'key.pem')),
      scope: 'swarm',
      listen: { host: address, port: port === 0 ? ports.port : port, bulkPort: ports.bulkPort, webSocketPort: ports.webSocketPort ?? 0 },
      swarm: { table: announce.length > 0 ? 'server' : 'auto', relay, relayed: false, announce: [...announce] },
      connections,
    });
    const peer = new SitePeer(options, host, new SiteHoldings(site, known));
    try {
      await host.handle(peer.#server.handle);
      await host.start();
    } catch (error) {
      await peer.stop();
      throw error;
    }
    host.libp2p.services.own.trust();
    if (relay) peer.#stun = await StunServer.listen({ host: address, port: host.ports.port }).catch(() => undefined);
    writePorts(state, host.ports);
    peer.#acquaintances.tryAll(bootstrap);
    peer.#acquaintances.start();
    // Who listens on the loopback alone has nothing to tell the network.
    if (address !== 'localhost' && !isLoopback(address)) peer.#discovery.start();
    return peer;
  }

  private constructor({ site, state, onWarning }: SitePeerOptions, host: Host, holdings: SiteHoldings) {
    this.host = host;
    this.holdings = holdings;
    this.#book = new PeerBook(join(state, 'peers.sqlite'), () => nodeClock.now());
    this.#server = new ExchangeServer({ holdings, clock: nodeClock, onBroken: ({ id }) => void host.sendAway(id, LEAVE_OUT) });
    this.#acquaintances = new Acquaintances({
      host,
      book: this.#book,
      repositories: { list: () => [], known: async () => [{ fingerprint: this.holdings.site.fingerprint }] },
      announces: true,
    });
    this.#discovery = new LanDiscovery({
      addresses: () => host.addresses.filter((address) => reachOf(address).scope === 'lan').map(String),
      onFound: (addresses) => this.#acquaintances.tryAll(addresses),
    });
    let revision = revisionOf(site);
    this.#timer = setInterval(() => {
      const now = revisionOf(site);
      if (now === revision) return;
      revision = now;
      readServedSite(site).then(
        (next) => (holdings.site = next),
        (error: unknown) => onWarning(error instanceof MossError ? error.message : String(error)),
      );
    }, LOOK);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#acquaintances.stop();
    this.#server.close();
    await this.#discovery.stop();
    await this.#stun?.close();
    await this.host.stop();
    this.#book.close();
  }
}

function revisionOf(site: string): number {
  return statSync(join(site, 'metadata', 'timestamp.json'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
