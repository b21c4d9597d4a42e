/** A machine that pulls blocks from a tab: a host of this process, which the tab dials. */
import { join } from 'node:path';
import { MAX_BLOCK_SIZE, verifyBlock } from '../../core/dag/block.ts';
import { parseCid } from '../../core/dag/cid.ts';
import { PeerSource } from '../../core/exchange/peer-source.ts';
import { fetchBlocks } from '../../core/exchange/session.ts';
import { nodeClock } from '../../node/clock.ts';
import { nodeHasher } from '../../node/hasher.ts';
import { Certificates } from '../../node/peer/certificates.ts';
import { Host } from '../../node/peer/host.ts';
import { passingIdentity } from '../../node/peer/identity.ts';
import type { RemotePeer } from '../../node/peer/remote-peer.ts';
import { nodeCompressor } from '../../node/zstd.ts';

export class Puller {
  /** Where the tab reaches it, by WebRTC-direct. */
  readonly addresses: string[];
  readonly #host: Host;
  readonly #peer: Promise<RemotePeer>;

  /** @param state a directory for its certificate */
  static async start(state: string): Promise<Puller> {
    const certificates = new Certificates(join(state, 'puller.json'));
    await certificates.renew(nodeClock.now());
    const met = Promise.withResolvers<RemotePeer>();
    const host = await Host.start({ key: passingIdentity(), scope: 'swarm', listen: { host: '127.0.0.1', port: 0, bulkPort: 0 }, webRtc: certificates, connections: 8 }, { onPeer: met.resolve });
    await host.handle(async (stream) => stream.abort());
    return new Puller(host, met.promise);
  }

  private constructor(host: Host, peer: Promise<RemotePeer>) {
    this.addresses = host.addresses.map(String);
    this.#host = host;
    this.#peer = peer;
  }

  /**
   * Gets these blocks, each verified.
   *
   * @param maxBytes of each: the less, the more are asked for at the same time
   * @returns their bytes
   */
  async pull(cids: readonly string[], maxBytes = MAX_BLOCK_SIZE): Promise<number> {
    const peer = await this.#peer;
    const source = new PeerSource({ peer: { id: peer.id, scope: 'lan', transport: peer.transport, open: (options) => peer.openMuxed(options) }, clock: nodeClock, compressor: nodeCompressor, streams: 1 });
    let got = 0;
    await fetchBlocks(cids.map((cid) => ({ cid: parseCid(cid), maxBytes })), {
      sources: [source],
      clock: nodeClock,
      accept: async ({ cid }, block) => {
        await verifyBlock(cid, block, nodeHasher);
        got += block.length;
      },
    });
    source.close();
    return got;
  }

  stop(): Promise<void> {
    return this.#host.stop();
  }
}
