/** The store of a tab, in real Chromium: the suite of the port, and what goes wrong in browsers. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { temporaryDirectory } from '../../e2e/fixture.ts';
import { BLOCKSTORE_CASES } from '../../conformance/blockstore.ts';
import { bundle, launch, launchProfile, newContext, NO_CHROMIUM, type PageServer, servePages } from '../chromium.ts';
import type { StoreBench } from '../page/store.ts';

declare const bench: StoreBench;

/** As strict as the donate page's own. */
const POLICY = "default-src 'none'; script-src 'self'; worker-src blob:; require-trusted-types-for 'script'; trusted-types moss";

describe('the store of a tab', { skip: NO_CHROMIUM, timeout: 600_000 }, () => {
  let server: PageServer;
  let browser: Browser;
  before(async () => {
    const script = await bundle('tests/web/page/store.ts');
    server = await servePages((path) => (path === '/' ? { body: '<script type="module" src="/page.js"></script>', type: 'text/html', headers: { 'Content-Security-Policy': POLICY } } : path === '/page.js' ? { body: script } : undefined));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  async function open(context: Browser | BrowserContext): Promise<Page> {
    const page = await context.newPage();
    await page.goto(server.url);
    await page.waitForFunction(() => 'bench' in globalThis);
    return page;
  }

  for (const kind of ['pack', 'indexed'] as const) {
    describe(kind === 'pack' ? 'in the private file system' : 'in IndexedDB', () => {
      let page: Page;
      before(async () => {
        page = await open(browser);
      });
      after(() => page?.close());
      for (const [number, { name }] of BLOCKSTORE_CASES.entries()) it(name, () => page.evaluate(([n, k]) => bench.check(n, k), [number, kind] as const));

      it('refuses bytes under the name of another block', async () => {
        await page.evaluate((k) => bench.fill('forged', 0, 1, 100, k), kind);
        assert.equal(await page.evaluate(() => bench.forge('forged')), 'bad-block');
        assert.equal(await page.evaluate(() => bench.count('forged')), 1);
      });

      it('is empty after all was removed, and takes blocks again', async () => {
        await page.evaluate((k) => bench.fill('removed', 0, 10, 1000, k), kind);
        await page.evaluate(() => bench.destroy('removed'));
        assert.equal(await page.evaluate(() => bench.count('removed')), 0);
        await page.evaluate(() => bench.fill('removed', 5, 8, 1000));
        assert.equal(await page.evaluate(() => bench.count('removed')), 3);
      });

      it('has its blocks after the tab was killed in the middle of writing, and none that is wrong', async () => {
        const context = await newContext(browser);
        const writing = await open(context);
        await writing.evaluate((k) => bench.fill('killed', 0, 50, 20_000, k), kind);
        const crashed = new Promise((resolve) => writing.once('crash', resolve));
        // Neither of these is answered: the renderer ends while blocks are under way.
        void writing.evaluate((k) => bench.fill('killed', 50, 5000, 20_000, k), kind).catch(() => undefined);
        void (await context.newCDPSession(writing)).send('Page.crash').catch(() => undefined);
        await crashed;
        const reopened = await open(context);
        const first = await reopened.evaluate((k) => bench.audit('killed', 0, 50, 20_000, k), kind);
        assert.deepEqual(first, { right: 50, wrong: 0, missing: 0 });
        const later = await reopened.evaluate((k) => bench.audit('killed', 50, 1000, 20_000, k), kind);
        assert.equal(later.wrong, 0);
        await context.close();
      });

      it('says that the disk is full, keeps what it has, and goes on when there is room again', async () => {
        const context = await newContext(browser);
        const full = await open(context);
        const session = await context.newCDPSession(full);
        await session.send('Storage.overrideQuotaForOrigin', { origin: server.url, quotaSize: 4_000_000 });
        assert.equal(await full.evaluate((k) => bench.fill('full', 0, 10, 100_000, k), kind), 'fine');
        assert.equal(await full.evaluate((k) => bench.fill('full', 10, 200, 100_000, k), kind), 'disk-full');
        assert.equal((await full.evaluate((k) => bench.audit('full', 0, 10, 100_000, k), kind)).right, 10);
        assert.equal((await full.evaluate((k) => bench.audit('full', 10, 200, 100_000, k), kind)).wrong, 0);
        await session.send('Storage.overrideQuotaForOrigin', { origin: server.url });
        assert.equal(await full.evaluate((k) => bench.fill('full', 10, 80, 100_000, k), kind), 'fine');
        assert.equal((await full.evaluate((k) => bench.audit('full', 0, 80, 100_000, k), kind)).right, 80);
        await context.close();
      });
    });
  }

  it('chooses the private file system where there is one, and IndexedDB where not', async () => {
    const page = await open(browser);
    assert.equal(await page.evaluate(() => bench.kind('chosen')), 'pack');
    await page.close();
    const context = await newContext(browser);
    // Workers are not reached by init scripts: so the worker's own text is what loses the interface.
    await context.route('**/page.js', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replaceAll('createSyncAccessHandle', 'createNothing') });
    });
    const old = await open(context);
    assert.equal(await old.evaluate(() => bench.kind('chosen')), 'indexed');
    await old.evaluate(() => bench.fill('chosen', 0, 5, 1000));
    assert.equal((await old.evaluate(() => bench.audit('chosen', 0, 5, 1000))).right, 5);
    await context.close();
  });

  it('never hands out what was changed on the disk, nor what was cut off', async () => {
    const page = await open(browser);
    await page.evaluate(() => bench.fill('damaged', 0, 10, 1000));
    await page.evaluate(() => bench.close('damaged'));
    await page.evaluate(() => bench.scribble('damaged', 'blocks.pack', 2500, 'rot'));
    await page.evaluate(() => bench.cut('damaged', 'blocks.pack', 8500));
    assert.deepEqual(await page.evaluate(() => bench.audit('damaged', 0, 10, 1000)), { right: 7, wrong: 0, missing: 3 });
    assert.equal(await page.evaluate(() => bench.count('damaged')), 7, 'what was damaged is forgotten');
    await page.evaluate(() => bench.close('damaged'));
    await page.evaluate(() => bench.scribble('damaged', 'blocks.index', 64 + 20, 'rot'));
    assert.deepEqual(await page.evaluate(() => bench.audit('damaged', 0, 10, 1000)), { right: 6, wrong: 0, missing: 4 });
    assert.equal(await page.evaluate(() => bench.fill('damaged', 0, 10, 1000)), 'fine');
    assert.equal((await page.evaluate(() => bench.audit('damaged', 0, 10, 1000))).right, 10);
    await page.close();
  });

  it('is empty after an eviction while it is open, and takes blocks again', async () => {
    const context = await newContext(browser);
    const page = await open(context);
    await page.evaluate(() => bench.fill('evicted', 0, 20, 1000));
    await (await context.newCDPSession(page)).send('Storage.clearDataForOrigin', { origin: server.url, storageTypes: 'all' });
    assert.equal((await page.evaluate(() => bench.audit('evicted', 0, 20, 1000))).wrong, 0);
    await page.reload();
    await page.waitForFunction(() => 'bench' in globalThis);
    assert.deepEqual(await page.evaluate(() => bench.audit('evicted', 0, 20, 1000)), { right: 0, wrong: 0, missing: 20 });
    assert.equal(await page.evaluate(() => bench.fill('evicted', 0, 20, 1000)), 'fine');
    assert.equal((await page.evaluate(() => bench.audit('evicted', 0, 20, 1000))).right, 20);
    await context.close();
  });

  it('has its blocks after a reload, and after the browser was closed', async () => {
    const profile = temporaryDirectory('profile');
    const first = await launchProfile(profile.path);
    const page = await open(first);
    await page.evaluate(() => bench.fill('kept', 0, 30, 5000));
    await page.reload();
    await page.waitForFunction(() => 'bench' in globalThis);
    assert.equal((await page.evaluate(() => bench.audit('kept', 0, 30, 5000))).right, 30);
    await page.evaluate(() => bench.sync('kept'));
    await first.close();
    const second = await launchProfile(profile.path);
    assert.equal((await (await open(second)).evaluate(() => bench.audit('kept', 0, 30, 5000))).right, 30);
    await second.close();
    profile.remove();
  });

  it('belongs to one tab at a time, and goes to the next when that one is closed', async () => {
    const context = await newContext(browser);
    const [first, second] = [await open(context), await open(context)];
    await first.evaluate(() => bench.fill('shared', 0, 10, 1000));
    assert.equal(await second.evaluate(() => bench.fill('shared', 0, 1, 1000)), 'locked');
    await first.close();
    assert.equal((await second.evaluate(() => bench.audit('shared', 0, 10, 1000))).right, 10);
    await context.close();
  });

  it('lets no more than some megabytes of what was read lie about, whenever the browser would collect it', async () => {
    const page = await open(browser);
    const session = await page.context().newCDPSession(page);
    await page.evaluate(() => bench.fill('passing', 0, 64, 65_536));
    await page.evaluate(() => bench.choose(64, 64, 65_536));
    let most = 0;
    for (let round = 0; round < 40; round++) {
      await page.evaluate(() => bench.serve('passing', 65_536));
      most = Math.max(most, (await session.send('Runtime.getHeapUsage')).backingStorageSize);
    }
    assert.ok(most < 32 * 1024 * 1024, `${most} bytes of buffers while 160 MiB were read`);
    await page.close();
  });

  it('gives the disk back when blocks are removed', async () => {
    const page = await open(browser);
    await page.evaluate(() => bench.fill('shrinking', 0, 40, 500_000));
    await page.evaluate(() => bench.drop('shrinking', 0, 30, 500_000));
    await page.evaluate(() => bench.sync('shrinking'));
    await page.evaluate(() => bench.close('shrinking'));
    const bytes = await page.evaluate(() => bench.size('shrinking', 'blocks.pack'));
    assert.ok(bytes <= 10 * 500_000 + 4 * 1024 * 1024, `${bytes} bytes for 5 MB of blocks`);
    assert.equal((await page.evaluate(() => bench.audit('shrinking', 30, 40, 500_000))).right, 10);
    await page.close();
  });
});
