/**
 * A peer with a public address that nobody knows, and that knows nobody but a relay: `node visitor.ts HOST RELAY PEER CID`. Once it
 * is known to be reachable it dials PEER by way of RELAY, takes the content CID from it, and says by which transport that came.
 */
import { setTimeout } from 'node:timers/promises';
import { parseCid } from '../../core/dag/cid.ts';
import { PeerSource } from '../../core/exchange/peer-source.ts';
import { nodeClock } from '../../node/clock.ts';
import { Host, parseMultiaddr } from '../../node/peer/host.ts';
import { passingIdentity } from '../../node/peer/identity.ts';
import { nodeCompressor } from '../../node/zstd.ts';

const [, , address = '', relay = '', id = '', cid = ''] = process.argv;
const LIMIT = 180_000;

const host = await Host.start({
  key: passingIdentity(),
  scope: 'swarm',
  listen: { host: address, port: 0, bulkPort: 0 },
  swarm: { table: 'client', relay: false, relayed: false, announce: [] },
  connections: 8,
});
await host.handle(async (stream) => stream.abort());
await host.dial([parseMultiaddr(relay)]);
await until(() => host.libp2p.services.own.reachable === 'directly', 'the relay dials it');
await host.dial([parseMultiaddr(`${relay}/p2p-circuit/p2p/${id}`)]);
await until(() => host.peers.some((peer) => peer.id === id), 'a direct connection');
const peer = host.peers.find((each) => each.id === id);
if (peer === undefined) throw new Error('it left');
const { direction, transport } = host.connected.find((each) => each.id === id && each.transport !== 'relay') ?? {};
const source = new PeerSource({ peer, clock: nodeClock, compressor: nodeCompressor });
const bytes = await source.get({ cid: parseCid(cid), maxBytes: 1_000_000 });
process.stdout.write(JSON.stringify({ direction, transport, bytes: bytes.length }));
source.close();
await host.stop();
process.exit();

async function until(isTrue: () => boolean, what: string): Promise<void> {
  const end = performance.now() + LIMIT;
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`it never came that ${what}`);
    await setTimeout(20);
  }
}
