/** The donor against a real site and hostile peers, over streams in memory: what it stores, what it serves, and how much. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { rawBlock } from '../../../core/dag/block.ts';
import { parseCid, type Cid } from '../../../core/dag/cid.ts';
import { deltaPair, deltaRefs } from '../../../core/dag/delta.ts';
import { BEST_CONDITIONS } from '../../../core/donate/conditions.ts';
import type { DonorEvent } from '../../../core/donate/donor.ts';
import type { NetworkOptions, NetworkPeer, OpenNetwork } from '../../../core/donate/network.ts';
import { RepositoryDonor } from '../../../core/donate/repository-donor.ts';
import { readSettings, type DonorSettings } from '../../../core/donate/settings.ts';
import type { DonorStatus } from '../../../core/donate/status.ts';
import { PeerSource } from '../../../core/exchange/peer-source.ts';
import { ExchangeServer } from '../../../core/exchange/server.ts';
import { MemoryBlockstore } from '../../../core/memory/blockstore.ts';
import { MemoryMetadataStore } from '../../../core/memory/metadata-store.ts';
import { MemoryPeer } from '../../../core/memory/stream.ts';
import { MossError } from '../../../core/error.ts';
import type { Fetch } from '../../../core/ports/fetch.ts';
import type { Holdings } from '../../../core/ports/holdings.ts';
import { nodeClock } from '../../../node/clock.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { nodeFetch } from '../../../node/net/fetch.ts';
import { startStaticServer, type StaticServer } from '../../../node/net/static-server.ts';
import { nodeRandom } from '../../../node/random.ts';
import { nodeVerifier } from '../../../node/trust/verifier.ts';
import { nodeCompressor } from '../../../node/zstd.ts';
import { makeRepository, temporaryDirectory, writePackage, type Repository } from '../../e2e/fixture.ts';
import { until } from '../../e2e/installer.ts';
import { mossDone } from '../../e2e/moss.ts';

const MB = 1_000_000;

function largest(directory: string): string {
  return readdirSync(directory).toSorted((a, b) => statSync(join(directory, b)).size - statSync(join(directory, a)).size)[0] ?? '';
}

/** A delta with the blocks of its frames and tables; nothing for what is none. */
function deltaOf(name: string, bytes: Uint8Array): string[][] {
  try {
    deltaPair(bytes);
    return [[name, ...deltaRefs(bytes).map(({ cid }) => cid.toString())]];
  } catch {
    return [];
  }
}

function networkPeer(peer: MemoryPeer): NetworkPeer {
  return { id: peer.id, scope: peer.scope, transport: peer.transport, direction: 'inbound', open: (how) => peer.open(how) };
}

/** A peer where nobody is. */
const ABSENT = 'Q'.repeat(46);

/** A site that names it. */
const namesAPeer: Fetch = async (url, init) => (url.endsWith('/moss.json') ? new Response(JSON.stringify({ peers: [`/ip4/192.0.2.1/tcp/1/p2p/${ABSENT}`], relays: [] })) : nodeFetch(url, init));

async function dialsNobody(): Promise<void> {
  // Those who are there are there from the beginning.
}

describe('a donor', { timeout: 600_000 }, () => {
  const { path, remove } = temporaryDirectory('donor');
  let repository: Repository;
  let server: StaticServer;

  before(async () => {
    repository = await makeRepository(path, ['pea', 'bean', 'leeks'].map((name) => writePackage(path, { name, large: 3 * MB })));
    server = await startStaticServer({ directory: repository.site, host: '127.0.0.1', port: 0 });
  });
  after(async () => {
    await server.close();
    remove();
  });

  /** A donor of the site, connected to these peers. */
  function plant({ peers = [] as MemoryPeer[], fetch = nodeFetch, dial = dialsNobody } = {}) {
    const blocks = new MemoryBlockstore();
    let options: NetworkOptions | undefined;
    let isOpen = false;
    const openNetwork: OpenNetwork = async (each) => {
      options = each;
      isOpen = true;
      queueMicrotask(each.onChange);
      return { id: 'donor', addresses: [], get peers() { return peers.map(networkPeer); }, most: 8, dial, ban: async () => undefined, close: async () => void (isOpen = false) };
    };
    const donor = new RepositoryDonor({
      storage: { blocks, records: new MemoryMetadataStore() },
      openNetwork,
      fetch,
      clock: nodeClock,
      minuteOfDay: () => 0,
      hasher: nodeHasher,
      random: nodeRandom,
      verifier: nodeVerifier(),
      decompressor: nodeCompressor,
    });
    const events: DonorEvent[] = [];
    donor.subscribe((event) => events.push(event));
    return {
      blocks,
      donor,
      events,
      isOpen: () => isOpen,
      settings: (others: Partial<DonorSettings> = {}) => readSettings({ repository: server.url, rate: 0, month: 0, quota: 100 * MB, ...others }),
      /** Somebody who asks it. */
      asker: () => {
        assert.ok(options);
        return new PeerSource({ peer: new MemoryPeer({ id: 'donor', clock: nodeClock, handler: options.handler }), clock: nodeClock });
      },
      shows: (what: string, test: (status: DonorStatus) => boolean) => until(async () => test(donor.status), () => `${what}: ${JSON.stringify(donor.status)}`, 120_000),
      stored: async () => {
        const out = new Map<string, Uint8Array>();
        for await (const cid of blocks.list()) out.set(cid.toString(), (await blocks.get(cid)) ?? new Uint8Array());
        return out;
      },
    };
  }

  async function assertSound(stored: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const published = new Set(readdirSync(join(repository.site, 'blocks')));
    for (const [text, bytes] of stored) {
      assert.ok(published.has(text), `${text} is none of the repository's`);
      assert.deepEqual(Buffer.from(nodeHasher.sha256(bytes)), Buffer.from(parseCid(text).multihash.digest));
    }
  }

  it('takes nothing wrong from a peer that lies, bans it, and goes on with the site', async () => {
    const lies: Holdings = { repositories: [], frames: true, files: false, find: () => ({ size: 1000, compressible: false, read: (_, length) => new Uint8Array(length).fill(7) }) };
    const liar = new MemoryPeer({ id: 'liar', scope: 'swarm', clock: nodeClock, handler: new ExchangeServer({ holdings: lies, clock: nodeClock }).handle });
    const { donor, settings, shows, stored, events } = plant({ peers: [liar] });
    // What the site lacks for a moment is asked of the liar.
    const file = join(repository.site, 'blocks', largest(join(repository.site, 'blocks')));
    renameSync(file, `${repository.site}/away`);
    await donor.start(settings(), BEST_CONDITIONS);
    try {
      await until(async () => events.some((event) => event.type === 'banned' && event.peer === 'liar'), 'the ban', 120_000);
    } finally {
      renameSync(`${repository.site}/away`, file);
    }
    await shows('it serves', ({ state }) => state === 'serving');
    await donor.stop();
    await assertSound(await stored());
  });

  it('dials who was lost, also when the site that told of it is gone', async () => {
    const peer = new MemoryPeer({ id: ABSENT, scope: 'swarm', clock: nodeClock, handler: async (stream) => stream.abort() });
    const peers: MemoryPeer[] = [];
    let asked = 0;
    let isGone = false;
    const fetch: Fetch = async (url, init) => {
      if (!url.endsWith('/moss.json')) return nodeFetch(url, init);
      asked++;
      if (isGone) throw new Error('there is no such site');
      return namesAPeer(url, init);
    };
    let dialled = 0;
    const { donor, settings } = plant({ peers, fetch, dial: async () => void (peers.push(peer), dialled++) });
    await donor.start(settings(), BEST_CONDITIONS);
    await until(async () => dialled === 1 && asked > 2, 'the peer, and a look at it', 120_000);
    peers.length = 0;
    isGone = true;
    await until(async () => dialled === 2, 'the peer once more', 60_000);
    await donor.stop();
  });

  it('dials who could not be reached again within seconds, and more seldom later', async () => {
    const dialled: number[] = [];
    const { donor, settings } = plant({
      fetch: namesAPeer,
      dial: async () => {
        dialled.push(performance.now());
        throw new MossError('source-failed', 'nobody is there');
      },
    });
    await donor.start(settings(), BEST_CONDITIONS);
    await until(async () => dialled.length === 3, 'three dials', 60_000);
    await donor.stop();
    const [first = 0, second = 0, third = 0] = dialled;
    assert.ok(second - first >= 4000 && third - second >= 8000, `${dialled.join()}`);
  });

  it('stays within its quota, and drops what a lower one has no room for', async () => {
    const { donor, settings, shows, stored } = plant();
    const bytes = async (): Promise<number> => [...(await stored()).values()].reduce((sum, each) => sum + each.length, 0);
    await donor.start(settings({ quota: 8 * MB }), BEST_CONDITIONS);
    let most = 0;
    const watch = donor.subscribe(() => (most = Math.max(most, donor.status.stored)));
    await shows('two packages', ({ state, held }) => state === 'serving' && held.length === 2);
    assert.ok(most <= 8 * MB && (await bytes()) <= 8 * MB);
    donor.apply(settings({ quota: 5 * MB }));
    await shows('one package', ({ state, held, stored: now }) => state === 'serving' && held.length === 1 && now <= 5 * MB);
    assert.ok((await bytes()) <= 5 * MB);
    donor.apply(settings({ quota: 20 * MB }));
    await shows('all packages', ({ state, held }) => state === 'serving' && held.length === 3);
    watch();
    await donor.stop();
    await assertSound(await stored());
  });

  it('gives not one byte more than the month has, and is idle then', async () => {
    const { donor, settings, shows, stored, asker, isOpen } = plant();
    await donor.start(settings({ month: 2 * MB }), BEST_CONDITIONS);
    await shows('it serves', ({ state }) => state === 'serving');
    const source = asker();
    let got = 0;
    for (const [text, { length }] of await stored()) {
      await source.get({ cid: parseCid(text), maxBytes: length }, { onBytes: (count) => (got += count) }).catch(() => undefined);
    }
    await shows('idle', (status) => status.state === 'idle' && status.reason === 'month');
    assert.ok(got > 1.5 * MB && got <= 2 * MB, `${got} bytes`);
    assert.ok(donor.status.month <= 2 * MB);
    await until(async () => !isOpen(), 'the network is closed');
    donor.apply(settings({ month: 20 * MB }));
    await shows('it serves again', ({ state }) => state === 'serving');
    source.close();
    await donor.stop();
  });

  it('neither keeps nor serves what the repository does not list, and serves nothing that was changed on its disk', async () => {
    const { donor, settings, shows, blocks, stored, asker } = plant();
    const foreign = await rawBlock(Buffer.from('not of this repository'), nodeHasher);
    await blocks.put(foreign.cid, foreign.bytes);
    await donor.start(settings(), BEST_CONDITIONS);
    await shows('it serves', ({ state }) => state === 'serving');
    const source = asker();
    const ask = (cid: Cid, maxBytes: number): Promise<Uint8Array> => source.get({ cid, maxBytes });
    await assert.rejects(ask(foreign.cid, 1000), { code: 'no-source' });
    assert.equal(await blocks.has(foreign.cid), false);

    const [[text, right] = ['', new Uint8Array()]] = [...(await stored())].toSorted(([, a], [, b]) => b.length - a.length);
    const cid = parseCid(text);
    await blocks.delete(cid);
    await blocks.put(cid, new Uint8Array(right.length));
    await assert.rejects(ask(cid, right.length), { code: 'no-source' });
    await shows('it is there again', ({ stored: now, filling }) => now === filling?.total);
    await until(async () => Buffer.from((await ask(cid, right.length).catch(() => new Uint8Array()))).equals(Buffer.from(right)), 'the right bytes', 120_000);
    source.close();
    await donor.stop();
  });

  it('holds the deltas that lead to its packages, and leaves them out where there is no room', async () => {
    const own = join(path, 'updated');
    mkdirSync(own);
    const { directory, site } = await makeRepository(own, [writePackage(own, { name: 'kale', version: '1.0', large: 200_000 })]);
    const next = writePackage(own, { name: 'kale', version: '2.0', large: 200_000 });
    const file = join(next, 'usr/lib/kale/large.bin');
    writeFileSync(file, readFileSync(file).fill(0, 1000, 1100));
    await mossDone(['publish', directory, next]);
    const deltas = readdirSync(join(site, 'blocks')).flatMap((name) => deltaOf(name, readFileSync(join(site, 'blocks', name))));
    assert.ok(deltas.length > 0);
    const updated = await startStaticServer({ directory: site, host: '127.0.0.1', port: 0 });
    const { donor, settings, shows, stored } = plant();
    const holding = async (quota: number): Promise<{ held: string[]; status: DonorStatus }> => {
      await donor.start({ ...settings({ repository: updated.url }), quota }, BEST_CONDITIONS);
      await shows('it serves', ({ state }) => state === 'serving');
      const { status } = donor;
      await donor.stop();
      assert.deepEqual(status.held.map(({ name, version, held, bytes }) => [name, version, held === bytes]), [['kale', '2.0', true]]);
      return { held: [...(await stored()).keys()], status };
    };
    try {
      const { held, status } = await holding(100 * MB);
      for (const name of deltas.flat()) assert.ok(held.includes(name), `${name} is not held`);
      const small = await holding(status.stored - 1);
      assert.ok(deltas.some((each) => each.some((name) => !small.held.includes(name))));
      assert.ok(small.status.stored < status.stored);
    } finally {
      await donor.stop();
      await updated.close();
    }
  });

  it('holds what comes in to its rate', async () => {
    const { donor, settings, shows } = plant();
    const start = performance.now();
    await donor.start(settings({ rate: 4 * MB }), BEST_CONDITIONS);
    await shows('it serves', ({ state }) => state === 'serving');
    // Nine megabytes, less what may come at once.
    assert.ok(donor.status.stored > 9 * MB && performance.now() - start > 1500);
    await donor.stop();
  });
});
