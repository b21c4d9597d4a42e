/** Peers on real sockets: they meet by multicast DNS, prove who they are, and serve each other. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { multiaddr } from '@multiformats/multiaddr';
import { cidOf, RAW } from '../../../core/dag/cid.ts';
import { IncomingRuns } from '../../../core/exchange/incoming-runs.ts';
import { ServedRuns } from '../../../core/exchange/served-runs.ts';
import { ExchangeServer } from '../../../core/exchange/server.ts';
import { PeerSource } from '../../../core/exchange/peer-source.ts';
import { MemoryHoldings } from '../../../core/memory/holdings.ts';
import type { Holdings } from '../../../core/ports/holdings.ts';
import { nodeClock } from '../../../node/clock.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { Host, type HostEvents } from '../../../node/peer/host.ts';
import { loadIdentity, passingIdentity } from '../../../node/peer/identity.ts';
import { LanDiscovery } from '../../../node/peer/lan-discovery.ts';
import { backgroundCompressor, nodeCompressor } from '../../../node/zstd.ts';
import { temporaryDirectory } from '../../e2e/fixture.ts';

const BLOCK = randomBytes(900_000);
const CID = cidOf(RAW, nodeHasher.sha256(BLOCK));
const holdings: Holdings = {
  repositories: [],
  frames: true,
  files: false,
  find: (wanted) => {
    if (wanted.kind !== 'block' || wanted.cid.toString() !== CID.toString()) return undefined;
    return { size: BLOCK.length, compressible: false, read: (offset, length) => BLOCK.subarray(offset, offset + length) };
  },
};

/** Takes connections, and says nothing. */
async function silentServer(): Promise<{ port: number; called: Promise<unknown>; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  const called = once(server, 'connection');
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: address.port, called, close };
}

describe('hosts', { timeout: 600_000 }, () => {
  const ends: (() => Promise<void>)[] = [];
  after(async () => {
    for (const end of ends.toReversed()) await end();
  });

  async function start(events: HostEvents = {}, { serves = true, key = passingIdentity() } = {}): Promise<Host> {
    const host = await Host.start({ key, scope: 'lan', listen: { port: 0, bulkPort: 0 }, connections: 16 }, events);
    ends.push(() => host.stop());
    if (serves) await host.handle(new ExchangeServer({ holdings, clock: nodeClock }).handle);
    return host;
  }

  test('however many relays a peer names, its own addresses are told first', async () => {
    const [one, other] = [await start(), await start()];
    await one.dial(other.addresses);
    const relayed = Array.from({ length: 40 }, (_, i) => multiaddr(`/ip4/10.0.0.${i}/tcp/4001/p2p/${one.id}/p2p-circuit/p2p/${other.id}`));
    const own = multiaddr(`/ip4/99.0.0.1/udp/4002/webrtc-direct/p2p/${other.id}`);
    await one.libp2p.peerStore.merge(other.libp2p.peerId, { multiaddrs: [...relayed, own] });
    const told = await one.addressesOf(other.id);
    const firstRelayed = told.findIndex((address) => address.includes('/p2p-circuit'));
    assert.ok(told.indexOf(own.toString()) >= 0 && told.indexOf(own.toString()) < firstRelayed, told.join('\n'));
    assert.ok(told.length <= 16);
  });

  test('a peer that has moved is reached while the place where it was before keeps silent', async () => {
    const silent = await silentServer();
    ends.push(silent.close);
    const [one, other] = [await start(), await start()];
    const enough = new AbortController();
    const before = one.dial([multiaddr(`/ip4/127.0.0.1/tcp/${silent.port}/p2p/${other.id}`)], enough.signal).catch(() => undefined);
    await silent.called;
    await one.dial(other.addresses);
    assert.ok(one.isConnected(other.id));
    enough.abort();
    await before;
  });

  test('who answers in the place of a peer is not taken for it', async () => {
    const silent = await silentServer();
    ends.push(silent.close);
    const [one, other, wanted] = [await start(), await start(), await start()];
    const enough = new AbortController();
    const before = one.dial([multiaddr(`/ip4/127.0.0.1/tcp/${silent.port}/p2p/${wanted.id}`)], enough.signal).catch(() => undefined);
    await silent.called;
    const claimed = other.addresses.map((address) => multiaddr(address.toString().replace(other.id, wanted.id)));
    await assert.rejects(one.dial(claimed), { code: 'source-failed' });
    assert.ok(!one.isConnected(wanted.id));
    enough.abort();
    await before;
  });

  test('two meet by multicast DNS, and one serves the other over the bulk carrier', async () => {
    const met = Promise.withResolvers<Host['peers'][number]>();
    const server = await start();
    const client = await start({ onPeer: (peer) => met.resolve(peer) });
    // A port of this test alone: other peers of this machine stay out of it.
    const port = 40_000 + (process.pid % 20_000);
    const discoveries = [
      new LanDiscovery({ port, addresses: () => server.addresses.map(String), onFound: () => undefined }),
      new LanDiscovery({ port, addresses: () => [], onFound: (addresses) => void client.dial(addresses.map((address) => multiaddr(address))).catch(() => undefined) }),
    ];
    for (const discovery of discoveries) {
      ends.push(() => discovery.stop());
      discovery.start();
    }
    const peer = await met.promise;
    assert.equal(peer.id, server.id);
    assert.equal(peer.scope, 'lan');
    const source = new PeerSource({ peer, clock: nodeClock });
    const got = await source.get({ cid: CID, maxBytes: BLOCK.length });
    assert.ok(BLOCK.equals(got));
    assert.equal(peer.transport, 'tls');
    await assert.rejects(source.get({ cid: cidOf(RAW, nodeHasher.sha256(randomBytes(9))), maxBytes: 9 }), { code: 'no-source' });
    source.close();
  });

  test('a peer whose bulk carrier fails is asked over libp2p', async () => {
    const met = Promise.withResolvers<Host['peers'][number]>();
    const server = await start();
    const client = await start({ onPeer: (peer) => met.resolve(peer) }, { serves: false });
    await client.dial(server.addresses);
    const peer = await met.promise;
    peer.bulkFailed();
    const source = new PeerSource({ peer, clock: nodeClock });
    assert.ok(BLOCK.equals(await source.get({ cid: CID, maxBytes: BLOCK.length })));
    assert.equal(peer.transport, 'tcp');
    source.close();
  });

  test('small files come from a peer of the swarm as runs over either carrier, and one by one to who reads none', async () => {
    const files = Array.from({ length: 600 }, (_, i) => Buffer.from(`${'the same words in each of them, again and again; '.repeat(20)}${i}`));
    const small = new MemoryHoldings();
    const wants = files.map((bytes) => ({ cid: cidOf(RAW, nodeHasher.sha256(bytes)), maxBytes: bytes.length }));
    for (const [i, { cid }] of wants.entries()) small.addFile(cid, files[i] ?? Buffer.alloc(0));
    let served = 0;
    const exchange = new ExchangeServer({ holdings: small, clock: nodeClock, compressor: backgroundCompressor, runs: ServedRuns, onServed: (_, bytes) => (served += bytes) });
    const server = await start({}, { serves: false });
    // All that is on loopback is near; this one is treated as if it came from far away.
    await server.handle((stream, from) => exchange.handle(stream, { ...from, scope: 'swarm' }));
    const met = Promise.withResolvers<Host['peers'][number]>();
    const client = await start({ onPeer: (peer) => met.resolve(peer) }, { serves: false });
    await client.dial(server.addresses);
    const peer = await met.promise;
    for (const [runs, transport] of [[IncomingRuns, 'tls'], [undefined, 'tls'], [IncomingRuns, 'tcp']] as const) {
      if (transport === 'tcp') peer.bulkFailed();
      served = 0;
      const source = new PeerSource({ peer, clock: nodeClock, compressor: nodeCompressor, runs });
      const got = await Promise.all(wants.map((want) => source.get(want)));
      assert.ok(got.every((bytes, i) => files[i]?.equals(bytes) === true));
      assert.equal(peer.transport, transport);
      assert.ok(runs === undefined ? served > 600 * 50 : served < 600 * 25, `${served} bytes over ${transport}`);
      source.close();
    }
  });

  test('a stream to who does not read takes no more than a bound, however often it was read from before', async () => {
    const met = Promise.withResolvers<Host['peers'][number]>();
    const server = await start({}, { serves: false });
    let written = 0;
    await server.handle(async (stream) => {
      for (let bytes = Buffer.alloc(65_536); written < 1000 * bytes.length; written += bytes.length) await stream.write(bytes);
    });
    const client = await start({ onPeer: (peer) => met.resolve(peer) }, { serves: false });
    await client.dial(server.addresses);
    const stream = await (await met.promise).openMuxed();
    for (let read = 0; read < 3_000_000; ) read += (await stream.read())?.length ?? Infinity;
    // Time to write on, for who would.
    await delay(500);
    const before = written;
    await delay(500);
    assert.equal(written, before);
    assert.ok(written < 24_000_000, `${written} bytes are on their way`);
    stream.abort();
  });

  test('no more peers are let in than are allowed, and one that leaves makes room', async () => {
    const server = await Host.start({ key: passingIdentity(), scope: 'lan', listen: { port: 0, bulkPort: 0 }, connections: 3 });
    ends.push(() => server.stop());
    await server.handle(new ExchangeServer({ holdings, clock: nodeClock }).handle);
    const clients: Host[] = [];
    for (let i = 0; i < 6; i++) {
      const client = await start({}, { serves: false });
      clients.push(client);
      await client.dial(server.addresses).catch(() => undefined);
      await delay(100);
      assert.equal(server.connected.length, Math.min(i + 1, 3));
    }
    await clients[0]?.stop();
    for (let tries = 0; tries < 50 && server.connected.length === 3; tries++) await delay(20);
    await clients[5]?.dial(server.addresses);
    for (let tries = 0; tries < 50 && server.connected.every(({ id }) => id !== clients[5]?.id); tries++) await delay(20);
    assert.deepEqual(new Set(server.connected.map(({ id }) => id)), new Set([1, 2, 5].map((i) => clients[i]?.id)));
  });

  test('an address that names another peer leads to nobody', async () => {
    const server = await start();
    const client = await start({}, { serves: false });
    const stranger = await start({}, { serves: false });
    const lie = server.addresses.map((address) => multiaddr(address.toString().replace(server.id, stranger.id)));
    await assert.rejects(client.dial(lie), { code: 'source-failed' });
    assert.deepEqual(client.peers, []);
  });

  test('a banned peer is dropped, and neither dialled nor let in again', async () => {
    const gone = Promise.withResolvers<string>();
    const met = Promise.withResolvers<void>();
    const server = await start();
    const client = await start({ onPeer: () => met.resolve(), onGone: (id) => gone.resolve(id) });
    await client.dial(server.addresses);
    await met.promise;
    await client.ban(server.id);
    assert.deepEqual(client.peers, []);
    await client.dial(server.addresses);
    await server.dial(client.addresses).catch(() => undefined);
    assert.deepEqual(client.peers, []);
  });

  test('with the scope lan nobody beyond the network is dialled', async () => {
    const client = await start({}, { serves: false });
    await assert.rejects(client.dial([multiaddr(`/ip4/192.0.2.1/tcp/4001/p2p/${passingPeer()}`)]), { code: 'source-failed' });
  });

  test('the key is kept, for its owner alone', async () => {
    const { path, remove } = temporaryDirectory('identity');
    try {
      const file = join(path, 'peer', 'key.pem');
      const [first, second] = [loadIdentity(file), loadIdentity(file)];
      assert.ok(first.equals(second));
      assert.equal(statSync(file).mode & 0o777, 0o600);
      const [a, b] = [await start({}, { serves: false, key: first }), await start({}, { serves: false, key: second })];
      assert.equal(a.id, b.id);
    } finally {
      remove();
    }
  });
});

function passingPeer(): string {
  return passingIdentity().publicKey.toString();
}
