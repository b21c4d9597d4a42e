/** A volunteer's tab: real Chromium, real `moss`, one package of Debian. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import type { Dialled } from '../../web/net/tab-network.ts';
import { temporaryDirectory } from '../e2e/fixture.ts';
import { Installer, sourcesOf } from '../e2e/installer.ts';
import { launch, NO_CHROMIUM } from './chromium.ts';
import { donorSettings, setStage, Tab, type Stage } from './swarm-of-one.ts';

describe('a tab gives', { skip: NO_CHROMIUM, timeout: 300_000 }, () => {
  let browser: Browser;

  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  const TRANSPORTS: Dialled[] = ['webrtc-direct', 'websocket'];
  for (const transport of TRANSPORTS) {
    it(`fills from the web server, and when that is gone \`moss install\` completes from the tab alone, by ${transport}`, async () => {
      const { path, remove } = temporaryDirectory(`tab-${transport}`);
      let stage: Stage | undefined;
      const installer = new Installer(join(path, 'root'));
      try {
        stage = await setStage(path);
        await installer.begin(stage);
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
});
