/** The swarm: what `moss serve` is to it, and finding each other through the hash table. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { parseCid } from '../../../core/dag/cid.ts';
import { PeerSource } from '../../../core/exchange/peer-source.ts';
import { nodeClock } from '../../../node/clock.ts';
import { startStaticServer, type StaticServer } from '../../../node/net/static-server.ts';
import { Host } from '../../../node/peer/host.ts';
import { passingIdentity } from '../../../node/peer/identity.ts';
import { repositoryCid } from '../../../core/exchange/repository-cid.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { RoutingApi } from '../../../node/peer/routing-api.ts';
import { SitePeer } from '../../../node/peer/site-peer.ts';
import { makeRepository, temporaryDirectory, writePackage, type Repository } from '../../e2e/fixture.ts';

const NODES = 30;

async function startNode(): Promise<Host> {
  const swarm = { table: 'server', relay: false, relayed: false, announce: [] } as const;
  return Host.start({ key: passingIdentity(), scope: 'swarm', listen: { host: '127.0.0.1', port: 0, bulkPort: 0 }, swarm: { ...swarm, announce: [] }, connections: 100 });
}

test('two of thirty peers find each other through the hash table, by the name of a repository', { timeout: 600_000 }, async () => {
  const nodes: Host[] = [];
  try {
    for (let i = 0; i < NODES; i++) {
      // Each knows one other: the table does the rest.
      const known = nodes[i >> 1] ?? nodes[0];
      const node = await startNode();
      nodes.push(node);
      await node.handle(async (stream) => stream.abort());
      if (known !== undefined) await node.dial(known.addresses);
    }
    const [provider, seeker] = [nodes[NODES - 1], nodes[NODES - 2]];
    assert.ok(provider && seeker);
    const cid = await repositoryCid(randomBytes(32), nodeHasher);
    let found: string | undefined;
    for (let tries = 0; tries < 20 && found === undefined; tries++) {
      const signal = AbortSignal.timeout(60_000);
      await provider.provide(cid, { signal }).catch(() => undefined);
      try {
        for await (const addresses of seeker.findProviders(cid, { signal })) {
          found = addresses.find((address) => address.toString().includes(provider.id))?.toString();
          if (found !== undefined) break;
        }
      } catch {
        // The tables are still being filled.
      }
      if (found === undefined) await setTimeout(500);
    }
    assert.ok(found, 'the provider was found');
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
});

describe('a site as a peer', { timeout: 600_000 }, () => {
  const { path, remove } = temporaryDirectory('site-peer');
  let repository: Repository;
  let peer: SitePeer;
  let server: StaticServer;

  before(async () => {
    repository = await makeRepository(path, [writePackage(path, { name: 'pea' })]);
    peer = await SitePeer.start({ site: repository.site, state: join(path, 'state'), host: '127.0.0.1', port: 0, relay: true, webTransport: false, announce: [], bootstrap: [], connections: 16, onWarning: () => undefined });
    const routing = new RoutingApi({ host: peer.host, holdings: peer.holdings });
    server = await startStaticServer({ directory: repository.site, host: '127.0.0.1', port: 0, route: (request, response) => routing.handle(request, response) });
  });
  after(async () => {
    await server.close();
    await peer.stop();
    remove();
  });

  test('serves the blocks of the site', async () => {
    const met = Promise.withResolvers<Host['peers'][number]>();
    const client = await Host.start({ key: passingIdentity(), scope: 'lan', connections: 8 }, { onPeer: (each) => met.resolve(each) });
    try {
      await client.dial(peer.host.addresses);
      const source = new PeerSource({ peer: await met.promise, clock: nodeClock });
      const [name = ''] = readdirSync(join(repository.site, 'blocks'));
      assert.ok((await source.get({ cid: parseCid(name), maxBytes: 2_000_000 })).length > 0);
      source.close();
    } finally {
      await client.stop();
    }
  });

  test('answers the routing interface: who has the repository, who has a block, where a peer is', async () => {
    const [block = ''] = readdirSync(join(repository.site, 'blocks'));
    for (const cid of [(await repositoryCid(Buffer.from(repository.fingerprint, 'hex'), nodeHasher)).toString(), block]) {
      const response = await fetch(`${server.url}/routing/v1/providers/${cid}`);
      assert.equal(response.status, 200);
      const { Providers: providers } = (await response.json()) as { Providers: { Schema: string; ID: string; Addrs: string[] }[] };
      assert.equal(providers[0]?.Schema, 'peer');
      assert.equal(providers[0]?.ID, peer.host.id);
      assert.ok(providers[0].Addrs.some((address) => address.startsWith('/ip4/127.0.0.1/tcp/')));
    }
    const lines = await (await fetch(`${server.url}/routing/v1/peers/${peer.host.id}`, { headers: { accept: 'application/x-ndjson' } })).text();
    assert.equal((JSON.parse(lines) as { ID: string }).ID, peer.host.id);
    assert.equal((await fetch(`${server.url}/routing/v1/providers/nonsense`)).status, 422);
    assert.deepEqual(await providersOf('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'), [], 'nobody has what nobody knows');
  });

  test('tells what the routing interface does not do, as its specification says', async () => {
    const [block = ''] = readdirSync(join(repository.site, 'blocks'));
    assert.equal(await status(`other/${block}`), 400);
    assert.equal(await status(`providers/${block}/more`), 400);
    assert.equal(await status(`ipns/${block}`), 501);
    assert.equal(await status('providers', 'PUT'), 501);
    assert.equal(await status(`providers/${block}`, 'POST'), 501);
  });

  test('lets pages of any site ask the routing interface, and asks nothing of them first but what browsers ask', async () => {
    const [block = ''] = readdirSync(join(repository.site, 'blocks'));
    const preflight = await fetch(`${server.url}/routing/v1/providers/${block}`, { method: 'OPTIONS', headers: { Origin: 'https://example.org', 'Access-Control-Request-Method': 'GET' } });
    assert.equal(preflight.status, 204);
    for (const { headers } of [preflight, await fetch(`${server.url}/routing/v1/providers/${block}`)]) {
      assert.equal(headers.get('access-control-allow-origin'), '*');
      assert.match(headers.get('access-control-allow-methods') ?? '', /GET.*OPTIONS/);
    }
    // What is no interface has files alone.
    assert.equal((await fetch(`${server.url}/blocks/${block}`, { method: 'OPTIONS' })).status, 405);
  });

  async function status(asked: string, method = 'GET'): Promise<number> {
    return (await fetch(`${server.url}/routing/v1/${asked}`, { method })).status;
  }

  async function providersOf(cid: string): Promise<unknown> {
    const { Providers: providers } = (await (await fetch(`${server.url}/routing/v1/providers/${cid}`)).json()) as { Providers: unknown };
    return providers;
  }
});
