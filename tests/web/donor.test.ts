/** A volunteer's tab: real Chromium, real `moss`, one package of Debian. */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import type { Dialled } from '../../web/net/tab-network.ts';
import { temporaryDirectory } from '../e2e/fixture.ts';
import { Installer, sourcesOf, startMoss, until, type Program } from '../e2e/installer.ts';
import { NO_QUIC } from '../node/webtransport/no-quic.ts';
import { launch, newContext, NO_CHROMIUM } from './chromium.ts';
import { donorSettings, setStage, Tab, type Stage } from './swarm-of-one.ts';

describe('a tab gives', { skip: NO_CHROMIUM, timeout: 600_000 }, () => {
  let browser: Browser;

  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  const TRANSPORTS: Dialled[] = ['webrtc-direct', 'websocket', 'webtransport'];
  for (const transport of TRANSPORTS) {
    const webTransport = transport === 'webtransport';
    it(`fills from the web server, and when that is gone \`moss install\` completes from the tab alone, by ${transport}`, { skip: webTransport && NO_QUIC }, async () => {
      const { path, remove } = temporaryDirectory(`tab-${transport}`);
      let stage: Stage | undefined;
      const installer = new Installer(join(path, 'root'));
      try {
        stage = await setStage(path, { webTransport });
        await installer.begin(stage, { webTransport });
        const tab = await Tab.open(browser, stage, [transport]);
        await tab.start(donorSettings(stage.url));
        const { id = '' } = await tab.shows('it serves', ({ state }) => state === 'serving');
        await tab.shows('it knows both', ({ peers }) => peers.length === 2);
        await stage.serve.stop();
        await installer.meets(id, { without: stage.peer });

        const ran = await installer.install(stage.package.name);
        assert.ok(installer.has(stage.package.program));
        assert.deepEqual(sourcesOf(ran), [id]);
        const { peers } = await tab.shows('it counts what it gave', ({ given, helped }) => given > 0 && helped === 1);
        assert.deepEqual(new Set(peers.map((peer) => `${peer.transport} ${peer.direction}`)), new Set([`${transport} outbound`]));
        assert.deepEqual(tab.problems, []);
        await tab.close();
      } finally {
        await installer.end();
        await stage?.close();
        remove();
      }
    });
  }

  it('fills from another tab, by WebRTC through a relay, and gives what it got to `moss install`', async () => {
    const { path, remove } = temporaryDirectory('tabs');
    let stage: Stage | undefined;
    const installer = new Installer(join(path, 'root'));
    try {
      stage = await setStage(path);
      await installer.begin(stage);
      const first = await Tab.open(browser, stage);
      await first.start(donorSettings(stage.url));
      const { id: firstId = '' } = await first.shows('the first serves', ({ state, addresses }) => state === 'serving' && addresses.some((address) => address.includes('/webrtc/')));
      // The site keeps its metadata, and has no block any more: they come from the first tab, or not at all.
      const blocks = join(stage.repository.site, 'blocks');
      renameSync(blocks, `${blocks}-gone`);
      const second = await Tab.open(browser, stage, ['webrtc', 'webrtc-direct']);
      await second.start(donorSettings(stage.url));
      const { id = '', peers } = await second.shows('the second serves', ({ state }) => state === 'serving');
      const between = peers.find((peer) => peer.id === firstId);
      assert.equal(between?.transport, 'webrtc');
      assert.ok(between.received > 10_000);
      await installer.meets(id);
      await first.close();
      await stage.serve.stop();
      await installer.meets(id, { without: stage.peer });

      assert.deepEqual(sourcesOf(await installer.install(stage.package.name)), [id]);
      assert.ok(installer.has(stage.package.program));
      await second.close();
    } finally {
      await installer.end();
      await stage?.close();
      remove();
    }
  });

  it('fills from `moss donate`, which is the same without a browser, by WebTransport', { skip: NO_QUIC }, async () => {
    const { path, remove } = temporaryDirectory('tab-donate');
    let stage: Stage | undefined;
    let donor: Program | undefined;
    try {
      stage = await setStage(path);
      donor = await startMoss(['donate', stage.url, '--rate', '0', '--host', '127.0.0.1', '--webtransport', '--yes'], { XDG_DATA_HOME: join(path, 'data') });
      const { id, errors } = { id: String(donor.said['id']), errors: donor.errors };
      await until(async () => errors().includes('"state":"serving"'), () => `serving: ${errors().slice(-2000)}`);
      const blocks = join(stage.repository.site, 'blocks');
      renameSync(blocks, `${blocks}-gone`);
      const tab = await Tab.open(browser, stage, ['webtransport']);
      await tab.start(donorSettings(stage.url));
      const { peers } = await tab.shows('it serves', ({ state }) => state === 'serving');
      const from = peers.find((peer) => peer.id === id);
      assert.deepEqual([from?.transport, from?.direction], ['webtransport', 'outbound']);
      assert.ok((from?.received ?? 0) > 10_000);
      await tab.close();
    } finally {
      await donor?.stop();
      await stage?.close();
      remove();
    }
  });

  describe('and obeys', () => {
    const { path, remove } = temporaryDirectory('tab-obeys');
    let stage: Stage;

    before(async () => {
      stage = await setStage(path);
    });
    after(async () => {
      await stage?.close();
      remove();
    });

    it('nothing is asked for before it is started', async () => {
      const asked: string[] = [];
      const context = await newContext(browser);
      context.on('request', (request) => asked.push(new URL(request.url()).pathname));
      const page = await context.newPage();
      await page.goto(stage.pages.url);
      await page.evaluate(() => void globalThis.makeDonor());
      await setTimeout(500);
      assert.deepEqual(asked.filter((each) => each !== '/favicon.ico'), ['/', '/donor.js']);
      assert.deepEqual(await page.evaluate(async () => (await indexedDB.databases()).length), 0);
      await context.close();
    });

    it('stops at once, goes on after a reload from what it holds, and deletes everything', async (test) => {
      const tab = await Tab.open(browser, stage, ['websocket']);
      await tab.start(donorSettings(stage.url));
      const first = await tab.shows('it serves', ({ state }) => state === 'serving');
      const ms = await tab.page.evaluate(async () => {
        const start = performance.now();
        await globalThis.page.donor.stop();
        return performance.now() - start;
      });
      test.diagnostic(`stopped after ${Math.round(ms)} ms`);
      const off = await tab.status();
      assert.deepEqual([off.state, off.peers, off.addresses], ['off', [], []]);

      await tab.page.reload();
      await tab.page.evaluate(() => void globalThis.makeDonor(['websocket']));
      const asked: string[] = [];
      tab.page.on('request', (request) => asked.push(request.url()));
      await tab.start(donorSettings(stage.url));
      const again = await tab.shows('it serves again', ({ state }) => state === 'serving');
      assert.equal(again.id, first.id);
      assert.equal(again.stored, first.stored);
      assert.deepEqual(asked.filter((url) => url.includes('/blocks/')), []);

      await tab.page.evaluate(() => globalThis.page.donor.deleteEverything());
      const left = await tab.page.evaluate(async () => {
        const { blocks, records } = globalThis.page.storage;
        let count = 0;
        for await (const cid of blocks.list()) count += String(cid).length > 0 ? 1 : 0;
        const names = ['donor-identity', 'donor-usage', 'donor-seed', 'donor-repository', 'root.json', 'timestamp.json', 'anchor', 'last-seen'];
        const kept = await Promise.all(names.map((name) => records.get(name)));
        return { count, kept: kept.filter((each) => each !== undefined).length };
      });
      assert.deepEqual(left, { count: 0, kept: 0 });
      await tab.close();
    });

    it('is idle when the moment says so, with nobody connected, and comes back', async () => {
      const tab = await Tab.open(browser, stage, ['websocket']);
      await tab.start(donorSettings(stage.url));
      await tab.shows('it serves', ({ state }) => state === 'serving');
      for (const [reason, conditions] of [
        ['offline', { online: false, elected: true }],
        ['save-data', { online: true, elected: true, saveData: true }],
        ['battery', { online: true, elected: true, battery: { level: 0.2, charging: false } }],
        ['other-tab', { online: true, elected: false }],
      ] as const) {
        await tab.page.evaluate((each) => globalThis.page.donor.observe(each), conditions);
        const { peers } = await tab.shows(reason, (status) => status.state === 'idle' && status.reason === reason);
        assert.deepEqual(peers, []);
        await tab.page.evaluate(() => globalThis.page.donor.observe({ online: true, elected: true }));
        await tab.shows('it serves again', ({ state, peers: back }) => state === 'serving' && back.length > 0);
      }
      await tab.close();
    });
  });
});
