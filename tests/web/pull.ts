/** A machine that pulls from a tab as fast as it gives: a host of this process, which the site names to the tab. */
import { join } from 'node:path';
import { MAX_BLOCK_SIZE, verifyBlock } from '../../core/dag/block.ts';
import { parseCid } from '../../core/dag/cid.ts';
import { PeerSource } from '../../core/exchange/peer-source.ts';
import { fetchBlocks } from '../../core/exchange/session.ts';
import { nodeClock } from '../../node/clock.ts';
import { nodeHasher } from '../../node/hasher.ts';
import { startStaticServer, type StaticServer } from '../../node/net/static-server.ts';
import { Certificates } from '../../node/peer/certificates.ts';
import { Host } from '../../node/peer/host.ts';
import { passingIdentity } from '../../node/peer/identity.ts';
import type { RemotePeer } from '../../node/peer/remote-peer.ts';
import { siteHints } from '../../node/peer/site-hints.ts';
import { nodeCompressor } from '../../node/zstd.ts';

export class Puller {
  readonly url: string;
  readonly #host: Host;
  readonly #server: StaticServer;
  readonly #peer: Promise<RemotePeer>;

  /** Serves a site, with itself as the peer that it names. */
  static async start(site: string, state: string): Promise<Puller> {
    const certificates = new Certificates(join(state, 'puller.json'));
    await certificates.renew(nodeClock.now());
    const met = Promise.withResolvers<RemotePeer>();
    const host = await Host.start({ key: passingIdentity(), scope: 'swarm', listen: { host: '127.0.0.1', port: 0, bulkPort: 0 }, webRtc: certificates, connections: 8 }, { onPeer: met.resolve });
    await host.handle(async (stream) => stream.abort());
    const server = await startStaticServer({
      directory: site,
      host: '127.0.0.1',
      port: 0,
      route: (request, response) => {
        if (request.url !== '/moss.json') return false;
        response.writeHead(200, { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': '*' }).end(siteHints(site, { peers: host.addresses.map(String), relays: [] }));
        return true;
      },
    });
    return new Puller({ host, server, peer: met.promise });
  }

  private constructor({ host, server, peer }: { host: Host; server: StaticServer; peer: Promise<RemotePeer> }) {
    this.url = server.url;
    this.#host = host;
    this.#server = server;
    this.#peer = peer;
  }

  /**
   * Gets blocks from the tab, again and again.
   *
   * @param bytes at least as many
   * @returns bytes a second
   */
  async pull(cids: readonly string[], bytes: number): Promise<number> {
    const peer = await this.#peer;
    const source = new PeerSource({ peer: { id: peer.id, scope: 'lan', transport: peer.transport, open: (options) => peer.openMuxed(options) }, clock: nodeClock, compressor: nodeCompressor, streams: 1 });
    const wants = cids.map((cid) => ({ cid: parseCid(cid), maxBytes: MAX_BLOCK_SIZE }));
    const round = async (): Promise<number> => {
      let taken = 0;
      await fetchBlocks(wants, {
        sources: [source],
        clock: nodeClock,
        accept: async ({ cid }, block) => {
          await verifyBlock(cid, block, nodeHasher);
          taken += block.length;
        },
      });
      return taken;
    };
    const start = performance.now();
    let got = 0;
    while (got < bytes) got += await round();
    source.close();
    return (got * 1000) / (performance.now() - start);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#host.stop(), this.#server.close()]);
  }
}
