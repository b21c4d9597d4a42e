/** A tab in real Chromium whose site has lost all blocks, among real libp2p hosts that lie: what it stores, and what it serves. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { parseCid } from '../../core/dag/cid.ts';
import { PeerSource } from '../../core/exchange/peer-source.ts';
import { nodeClock } from '../../node/clock.ts';
import { nodeHasher } from '../../node/hasher.ts';
import { Certificates } from '../../node/peer/certificates.ts';
import type { Host } from '../../node/peer/host.ts';
import { hostilePeers } from '../core/exchange/hostile-peers.ts';
import { makeRepository, temporaryDirectory, writePackage, type Repository } from '../e2e/fixture.ts';
import { until } from '../e2e/installer.ts';
import { hintsOf, startHonest, startHost, type ForBrowsers } from '../e2e/peer-hosts.ts';
import { bundle, filesOf, launch, NO_CHROMIUM, servePages, type PageServer } from './chromium.ts';
import { donorSettings, Tab } from './swarm-of-one.ts';

const MB = 1_000_000;
/** Room for two of the four packages. */
const QUOTA = 2.5 * MB;
/** More than any block, and less than it holds. */
const MONTH = 1.5 * MB;
/** Root, index and manifests are smaller, and what makes a package large is not. */
const SMALL = 100_000;
const LIMIT = 180_000;
/** As many as a tab connects to at once, less the honest one. */
const LIARS = ['right sizes and wrong content', 'less than was asked for', 'more than was asked for', 'data that nobody asked for', 'zstd that is none', 'a message of 4 GiB', 'noise'];

for (const carrier of ['webrtc-direct', 'websocket'] as const) describe(`a tab among peers that lie, by ${carrier}`, { skip: NO_CHROMIUM, timeout: 600_000 }, () => {
  const { path, remove } = temporaryDirectory('lying-peers');
  const hosts: Host[] = [];
  let repository: Repository;
  let blocks: string;
  /** Bytes of the largest block that the web server of the site has. */
  let largest = -1;
  let pages: PageServer;
  let browser: Browser;
  let tab: Tab;
  let honest: Host;

  before(async () => {
    repository = await makeRepository(path, ['pea', 'bean', 'leeks', 'onions'].map((name) => writePackage(path, { name, large: MB })));
    blocks = join(repository.site, 'blocks');
    const files = filesOf(repository.site);
    const script = await bundle('tests/web/donor-page.ts');
    pages = await servePages((request) => {
      if (request === '/') return { body: '<!doctype html><title>donor</title><script src="/donor.js"></script>', type: 'text/html' };
      if (request === '/donor.js') return { body: script, type: 'text/javascript' };
      if (request === '/moss.json') return { body: hintsOf(hosts.flatMap(({ addresses }) => addresses.map(String).filter((address) => address.includes(carrier === 'websocket' ? '/ws/' : '/webrtc-direct/')))) };
      // The site has what is signed. Larger blocks than these come from peers, or not at all.
      const served = files(request);
      return request.startsWith('/blocks/') && (served?.body.length ?? 0) > largest ? undefined : served;
    });
    browser = await launch();
    tab = await Tab.open(browser, { pages }, [carrier]);
  });
  after(async () => {
    await browser?.close();
    await Promise.all([...hosts.map((host) => host.stop()), pages?.close()]);
    remove();
  });

  /** Each has a certificate of its own. */
  async function forBrowsers(): Promise<ForBrowsers> {
    if (carrier === 'websocket') return { webSocketPort: 0 };
    const webRtc = new Certificates(join(path, `certificate-${hosts.length}.json`));
    await webRtc.renew(nodeClock.now());
    return { webRtc };
  }

  async function startLiars(kinds: readonly string[]): Promise<Map<string, string>> {
    const handlers = hostilePeers(nodeClock);
    const ids = new Map<string, string>();
    for (const kind of kinds) {
      const handler = handlers[kind];
      assert.ok(handler, kind);
      const host = await startHost(handler, await forBrowsers());
      hosts.push(host);
      ids.set(host.id, kind);
    }
    return ids;
  }

  async function areBanned(liars: ReadonlyMap<string, string>): Promise<void> {
    let left = [...liars.values()];
    await until(
      async () => {
        const out = new Set(await banned());
        left = [...liars].filter(([id]) => !out.has(id)).map(([, kind]) => kind);
        return left.length === 0;
      },
      () => `bans of ${left.join(', ')}`,
      LIMIT,
    );
  }

  /** Who ever was. */
  function banned(): Promise<string[]> {
    return tab.page.evaluate(() => globalThis.page.events.flatMap((event) => (event.type === 'banned' ? [event.peer] : [])));
  }

  /** Reads back every block that the tab has, and compares it to what the publisher made. @returns bytes of all together */
  async function assertSound(): Promise<number> {
    const read = await tab.page.evaluate(async () => {
      const { blocks: store } = globalThis.page.storage;
      const out: { name: string; size: number; digest: number[] }[] = [];
      for await (const cid of store.list()) {
        const bytes = new Uint8Array((await store.get(cid)) ?? []);
        out.push({ name: cid.toString(), size: bytes.length, digest: [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))] });
      }
      return out;
    });
    let sum = 0;
    for (const { name, size, digest } of read) {
      assert.ok(existsSync(join(blocks, name)), `${name} is none of the repository's`);
      const right = readFileSync(join(blocks, name));
      assert.equal(size, right.length, name);
      assert.deepEqual(Buffer.from(digest), Buffer.from(nodeHasher.sha256(right)), name);
      sum += size;
    }
    return sum;
  }

  it('bans each that lies, and stores nothing of what they say', async () => {
    const liars = await startLiars(LIARS);
    await tab.start(donorSettings(pages.url, { quota: QUOTA }));
    await areBanned(liars);
    assert.deepEqual(await tab.held(), []);
    const { stored, peers } = await tab.shows('it is connected to none of them', ({ peers: connected }) => connected.length === 0);
    assert.deepEqual([stored, peers], [0, []]);
  });

  it('has what the site has, where others are asked for the rest of the packages, and none of what they say', async () => {
    largest = SMALL;
    await tab.shows('it lacks only the rest', ({ state, stored }) => state === 'failing' && stored > 0, LIMIT);
    await areBanned(await startLiars(LIARS));
    const { filling } = await tab.shows('it is connected to none of them', ({ state, peers }) => state === 'failing' && peers.length === 0, LIMIT);
    const sum = await assertSound();
    assert.ok(sum > 0 && sum < SMALL && (filling?.total ?? 0) > MB, `${sum} bytes of ${filling?.total ?? 0}`);
  });

  it('fills from an honest one among others that lie, each block as it was published, and no further than its quota', async () => {
    await startLiars(LIARS.slice(0, 3));
    honest = await startHonest(repository.site, undefined, await forBrowsers());
    hosts.push(honest);
    const status = await tab.shows('it serves', ({ state }) => state === 'serving', LIMIT);
    const whole = status.held.filter(({ held, bytes }) => held === bytes);
    assert.ok(whole.length === status.held.length && whole.length > 0 && whole.length < 4, JSON.stringify(status.held));
    const sum = await assertSound();
    assert.equal(sum, status.stored);
    assert.ok(sum <= QUOTA && sum + MB > QUOTA, `${sum} bytes of ${QUOTA}`);
    const most = await tab.page.evaluate(() => Math.max(...globalThis.page.events.map((event) => (event.type === 'status' ? event.status.stored : 0))));
    assert.ok(most <= QUOTA, `${most} bytes at some time`);
    assert.ok(!(await banned()).includes(honest.id));
    assert.ok(status.peers.every(({ transport }) => transport === carrier), JSON.stringify(status.peers));
    assert.ok(pages.requests.some((request) => request.startsWith('/blocks/')), 'the site was asked, too');
  });

  it('gives one that asks for all of it what was published, and no byte beyond the month', async () => {
    const held = await tab.held();
    await tab.page.evaluate((settings) => globalThis.page.donor.apply(settings), donorSettings(pages.url, { quota: QUOTA, month: MONTH }));
    const { id } = await tab.status();
    await until(async () => honest.peers.some((peer) => peer.id === id), 'the tab, as the honest one sees it');
    const remote = honest.peers.find((peer) => peer.id === id);
    assert.ok(remote);
    const greedy = new PeerSource({ peer: { id: remote.id, transport: remote.transport, scope: remote.scope, open: (each) => remote.openMuxed(each) }, clock: nodeClock });
    let [got, whole, isRefused] = [0, 0, false];
    // All that it holds is more than the month allows.
    for (const text of held) {
      const right = readFileSync(join(blocks, text));
      const bytes = await greedy.get({ cid: parseCid(text), maxBytes: right.length }, { onBytes: (count) => (got += count) }).catch(() => undefined);
      if (bytes === undefined) {
        isRefused = true;
        break;
      }
      assert.ok(right.equals(bytes), `${text} is another one`);
      whole++;
    }
    assert.ok(isRefused);
    greedy.close();
    const status = await tab.shows('the month is over', (each) => each.state === 'idle' && each.reason === 'month', LIMIT);
    assert.ok(whole > 0 && got <= MONTH, `${whole} blocks and ${got} bytes came`);
    assert.ok(status.month <= MONTH, `${status.month} bytes are counted`);
    assert.deepEqual(status.peers, []);
    assert.deepEqual(tab.problems, []);
  });
});
