/** Peers of a test on real sockets, in this process: libp2p and the bulk carrier on loopback, found by a site's `moss.json`. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { cidOf, RAW } from '../../core/dag/cid.ts';
import { ExchangeServer } from '../../core/exchange/server.ts';
import { encodeMessage } from '../../core/exchange/wire/encode.ts';
import type { StreamHandler } from '../../core/ports/transport.ts';
import { nodeClock } from '../../node/clock.ts';
import type { Certificates } from '../../node/peer/certificates.ts';
import { Host, parseMultiaddr } from '../../node/peer/host.ts';
import { passingIdentity } from '../../node/peer/identity.ts';
import type { RemotePeer } from '../../node/peer/remote-peer.ts';
import { readServedSite } from '../../node/peer/served-site.ts';
import { SiteHoldings } from '../../node/peer/site-holdings.ts';
import { ENVIRONMENT, START } from './moss.ts';

/** How browsers reach a host, too. */
export interface ForBrowsers {
  /** 0 is any port. */
  webSocketPort?: number;
  webRtc?: Certificates;
}

export async function startHost(handler: StreamHandler, { webSocketPort, webRtc }: ForBrowsers = {}): Promise<Host> {
  const host = await Host.create({ key: passingIdentity(), scope: 'lan', listen: { host: '127.0.0.1', port: 0, bulkPort: 0, webSocketPort }, webRtc, connections: 64 });
  await host.handle(handler);
  await host.start();
  return host;
}

/** Serves all blocks of a site as they are. @param onServed called with the bytes of each turn */
export async function startHonest(site: string, onServed: (bytes: number) => void = () => undefined, browsers?: ForBrowsers): Promise<Host> {
  const server = new ExchangeServer({ holdings: new SiteHoldings(site, await readServedSite(site)), clock: nodeClock, onServed: (_, bytes) => onServed(bytes) });
  return startHost(server.handle, browsers);
}

/** What a site that knows these peers says. */
export function hintsOf(peers: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify({ schema: 1, peers, relays: [] }));
}

export interface RunningDaemon {
  pid: number;
  addresses: string[];
  ended: Promise<unknown>;
  stop(): Promise<void>;
}

export async function startDaemon(root: string): Promise<RunningDaemon> {
  const child = spawn(process.execPath, [START, 'daemon', '--foreground', '--json', '-D', root], { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let text = '';
  while (!text.includes('}\n')) {
    const [chunk]: unknown[] = await once(child.stdout, 'data');
    text += String(chunk);
  }
  const { status } = JSON.parse(text) as { status: { addresses: string[] } };
  return {
    pid: child.pid ?? 0,
    addresses: status.addresses,
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

export interface Flood {
  /** Things that were asked for. */
  wants: number;
  stop(): Promise<void>;
}

const FLOODERS = 4;
/** Milliseconds until one that was thrown out tries again. */
const COMES_BACK = 100;

/** Connections that say nothing or noise, to both ports of a peer, and streams that ask for more and more and read nothing. */
export async function startFlood(address: string, { connections, streams }: { connections: number; streams: number }): Promise<Flood> {
  const flood: Flood = { wants: 0, stop: async () => undefined };
  const hosts = await Promise.all(Array.from({ length: FLOODERS }, () => Host.start({ key: passingIdentity(), scope: 'lan', connections: 8 })));
  const over = new AbortController();
  const ports = new Set<number>();
  for (const host of hosts) {
    const { ticket } = await (await connected(host)).bulkAccess();
    ports.add(Buffer.from(ticket).readUInt16BE(0));
  }
  for (const host of hosts) for (let i = 0; i < streams; i++) void ask(host);
  ports.add(Number(/tcp\/(\d+)/.exec(address)?.[1]));
  const sockets = Array.from({ length: connections }, (_, i) => {
    // Addresses of their own: neighbours are many.
    const socket = connect({ host: '127.0.0.1', port: [...ports][i % ports.size] ?? 0, localAddress: `127.0.1.${1 + (i % 250)}` });
    socket.on('error', () => undefined);
    if (i % 4 < 2) socket.write(randomBytes(2000));
    return socket;
  });
  flood.stop = async () => {
    over.abort();
    for (const socket of sockets) socket.destroy();
    await Promise.all(hosts.map((host) => host.stop()));
  };
  return flood;

  /** The peer that is flooded. A busy machine may take longer than one try has. */
  async function connected(host: Host): Promise<RemotePeer> {
    for (;;) {
      const [peer] = host.peers;
      if (peer !== undefined) return peer;
      over.signal.throwIfAborted();
      await host.dial([parseMultiaddr(address)]).catch(() => undefined);
      await delay(COMES_BACK);
    }
  }

  /** Again and again: who floods is thrown out, and comes back. */
  async function ask(host: Host): Promise<void> {
    const cid = cidOf(RAW, new Uint8Array(32));
    while (!over.signal.aborted) {
      try {
        const peer = await connected(host);
        const stream = await (Math.random() < 0.5 ? peer.open() : peer.openMuxed());
        await stream.write(encodeMessage({ type: 'hello', version: 1, frames: false, files: false, deltas: false, news: false, zstd: true, runs: false, maxOpen: 0, repositories: [] }));
        for (let number = 0; !over.signal.aborted; number += 1024) {
          const items = Array.from({ length: 1024 }, (_, i) => ({ number: number + i, wanted: { kind: 'block' as const, cid }, maxBytes: 1000 }));
          await stream.write(encodeMessage({ type: 'want', items }));
          flood.wants += 1024;
          await setImmediate();
        }
      } catch {
        await delay(COMES_BACK);
      }
    }
  }
}
