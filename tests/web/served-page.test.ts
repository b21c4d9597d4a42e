/** The donate page as people meet it: `moss serve`, its own page at the root, the real engine, real Chromium. */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { buildWeb } from '../../build/web.ts';
import { startMoss, type Program } from '../e2e/installer.ts';
import { makeRepository, temporaryDirectory, writePackage } from '../e2e/fixture.ts';
import { launch, launchProfile, newContext, NO_CHROMIUM, PROJECT } from './chromium.ts';
import { Puller } from './pull.ts';

/** For people to look at; ignored by git. */
const SCREENS = join(PROJECT, '.bench/screens');
/** What the platform tells, as a test wants it. */
declare const moment: { connection: EventTarget & { saveData: boolean; type: string }; battery: EventTarget & { level: number; charging: boolean } };
const PLATFORM = `
  globalThis.moment = { connection: Object.assign(new EventTarget(), { saveData: true, type: 'wifi' }), battery: Object.assign(new EventTarget(), { level: 1, charging: true }) };
  Object.defineProperty(navigator, 'connection', { value: moment.connection });
  navigator.getBattery = async () => moment.battery;
`;

describe('the page that moss serve shows', { skip: NO_CHROMIUM, timeout: 600_000 }, () => {
  const directory = temporaryDirectory('served-page');
  let serve: Program;
  let url: string;
  let blocks: { cid: string; size: number }[];
  let browser: Browser;
  before(async () => {
    // What `npm run build` makes, and `moss serve` looks for.
    await buildWeb({ directory: join(PROJECT, 'dist/web') });
    const repository = await makeRepository(directory.path, [writePackage(directory.path, { name: 'pea', large: 2_000_000 })]);
    serve = await startMoss(['serve', repository.directory, '--port', '0', '--relay'], { XDG_STATE_HOME: join(directory.path, 'state') });
    url = String(serve.said['url']);
    blocks = readdirSync(join(repository.site, 'blocks')).map((cid) => ({ cid, size: statSync(join(repository.site, 'blocks', cid)).size }));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await serve?.stop();
    directory.remove();
  });

  it('stands at the root in the place of the page of `moss repo init`, and in nobody\'s frame', async () => {
    const page = await fetch(`${url}/`);
    assert.match(await page.text(), /moss-page\.js/);
    assert.equal(page.headers.get('content-security-policy'), "frame-ancestors 'none'");
    assert.equal((await fetch(`${url}/moss-seeder.js`)).headers.get('access-control-allow-origin'), '*');
  });

  it('fetches nothing but itself before somebody agrees; then it fills and serves, stops, and deletes all', async () => {
    const context = await newContext(browser, { locale: 'en-GB' });
    const asked: string[] = [];
    context.on('request', (request) => asked.push(new URL(request.url()).pathname));
    context.on('console', (message) => {
      if (/Content Security Policy|TrustedScript|Trusted Type/i.test(message.text())) assert.fail(message.text());
    });
    const page = await context.newPage();
    await page.goto(`${url}/`);
    await page.waitForSelector('text=Agree and start');
    await page.waitForLoadState('networkidle');
    assert.deepEqual([...new Set(asked.filter((path) => !path.startsWith('image/')))].toSorted(), ['/', '/moss-page.css', '/moss-page.js']);
    assert.equal(await page.inputValue('#repository'), url);

    await page.click('text=Agree and start');
    await waitForLine(page, '^(Ready|Giving)');
    assert.match(await page.innerText('main'), /test, revision 1/);
    assert.match(await page.innerText('main'), /pea 1\.0/);
    assert.equal(await held(page), true, 'blocks are in the private file system');

    await page.reload();
    await waitForLine(page, '^(Ready|Giving)');

    await page.click('button:text-is("Stop")');
    await page.waitForFunction(() => document.querySelector('h1')?.textContent?.startsWith('Stopped'));
    assert.equal(await held(page), true, 'what is held stays');
    await page.click('text=Delete everything');
    await page.click('text=Yes, delete');
    await page.waitForSelector('text=Agree and start');
    assert.equal(await held(page), false, 'nothing is left');
    await page.screenshot({ path: join(PROJECT, '.bench', 'served-page.png') });
    await context.close();
  });

  it('is idle for as long as the moment says so, asks for nothing meanwhile, and goes on', async () => {
    const context = await newContext(browser, { locale: 'en-GB' });
    const asked: string[] = [];
    context.on('request', (request) => asked.push(new URL(request.url()).pathname));
    const page = await context.newPage();
    await page.addInitScript(PLATFORM);
    await page.goto(`${url}/`);
    await page.click('text=Agree and start');
    await waitForLine(page, 'set to save data');
    assert.deepEqual(asked.filter(ofRepository), []);
    await page.evaluate(() => {
      moment.connection.saveData = false;
      moment.connection.dispatchEvent(new Event('change'));
    });
    await waitForLine(page, '^(Ready|Giving)');

    const hour = new Date().getHours();
    const clock = (later: number): string => `${String((hour + later) % 24).padStart(2, '0')}:00`;
    const MOMENTS: [line: string, begin: () => Promise<unknown>, end: () => Promise<unknown>][] = [
      ['mobile or metered', () => connectedBy(page, 'cellular'), () => connectedBy(page, 'wifi')],
      ['battery is below 30%', () => charged(page, 0.29), () => charged(page, 0.31)],
      ['offline', () => context.setOffline(true), () => context.setOffline(false)],
      [
        'outside of the hours',
        async () => {
          await page.check('#hours');
          await page.fill('#from', clock(2));
          await page.fill('#to', clock(3));
          await page.click('button:text-is("Save")');
        },
        async () => {
          await page.uncheck('#hours');
          await page.click('button:text-is("Save")');
        },
      ],
      [
        'hidden for longer',
        async () => {
          await page.selectOption('#hidden', '0');
          await page.click('button:text-is("Save")');
          await hidden(page, true);
        },
        () => hidden(page, false),
      ],
    ];
    for (const [line, begin, end] of MOMENTS) {
      await begin();
      await waitForLine(page, line);
      await page.screenshot({ path: join(SCREENS, `idle-${line.replaceAll(/[^a-z0-9]+/g, '-')}.png`) });
      await end();
      await waitForLine(page, '^(Ready|Giving)');
    }
    await context.close();
  });

  it('is idle once a peer has used the month up, beyond which not a byte goes out, and goes on with a higher limit', async () => {
    const state = temporaryDirectory('month');
    const puller = await Puller.start(state.path);
    const context = await newContext(browser, { locale: 'en-GB' });
    try {
      // The peer is one of those that the site names.
      await context.route('**/moss.json', (route) => route.fulfill({ json: { peers: puller.addresses, relays: [] } }));
      const page = await context.newPage();
      await page.goto(`${url}/`);
      await page.fill('#limit-rate', '0');
      await page.fill('#limit-month', String(MONTH / 1e9));
      await page.click('text=Agree and start');
      await waitForLine(page, '^(Ready|Giving)');
      const large = blocks.filter(({ size }) => size > 500_000).map(({ cid }) => cid);
      assert.ok(large.length > 0);
      let got = 0;
      for (let at = 0, bytes = 1; bytes > 0; at++) {
        // Until the tab breaks off in the middle of one.
        bytes = await puller.pull([large[at % large.length] ?? '']).catch(() => 0);
        got += bytes;
      }
      assert.ok(got > 0 && got <= MONTH, `${got} bytes of ${MONTH}`);
      await waitForLine(page, 'limit of this month');
      assert.match(await page.innerText('main'), /Nobody just now/);
      await page.screenshot({ path: join(SCREENS, 'idle-month-used-up.png') });

      await page.fill('#limit-month', '1');
      await page.click('button:text-is("Save")');
      await waitForLine(page, '^(Ready|Giving)');
    } finally {
      await context.close();
      await puller.stop();
      state.remove();
    }
  });

  it('is idle in a second tab of one profile, which takes over when the first one is closed', async () => {
    const profile = temporaryDirectory('profile');
    const context = await launchProfile(profile.path, { locale: 'en-GB' });
    try {
      const first = await context.newPage();
      await first.goto(`${url}/`);
      await first.click('text=Agree and start');
      await waitForLine(first, '^(Ready|Giving)');
      const asked: string[] = [];
      const second = await context.newPage();
      second.on('request', (request) => asked.push(new URL(request.url()).pathname));
      await second.goto(`${url}/`);
      await waitForLine(second, 'another tab');
      await second.screenshot({ path: join(SCREENS, 'idle-another-tab.png') });
      assert.deepEqual(asked.filter(ofRepository), []);
      assert.match(await first.innerText('h1'), /^(Ready|Giving)/, 'the first one goes on');
      await first.close();
      await waitForLine(second, '^(Ready|Giving)');
      assert.deepEqual(asked.filter((path) => path.startsWith('/blocks/')), [], 'it gives from what the first one fetched');
    } finally {
      await context.close();
      profile.remove();
    }
  });
});

/** Bytes: less than what is held. */
const MONTH = 1_500_000;

/** Paths that a donor asks for, beside the page itself. */
function ofRepository(path: string): boolean {
  return /^\/(blocks|metadata|routing)\/|moss\.json/.test(path);
}

function connectedBy(page: Page, type: string): Promise<void> {
  return page.evaluate((each) => {
    moment.connection.type = each;
    moment.connection.dispatchEvent(new Event('change'));
  }, type);
}

function charged(page: Page, level: number): Promise<void> {
  return page.evaluate((each) => {
    Object.assign(moment.battery, { level: each, charging: false });
    moment.battery.dispatchEvent(new Event('levelchange'));
  }, level);
}

function hidden(page: Page, is: boolean): Promise<void> {
  return page.evaluate((each) => {
    Object.defineProperty(document, 'hidden', { value: each, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, is);
}

async function waitForLine(page: Page, pattern: string): Promise<void> {
  await page.waitForFunction((source) => new RegExp(source).test(document.querySelector('h1')?.textContent ?? ''), pattern);
}

/** Whether there is anything in the private file system of the site. */
function held(page: Page): Promise<boolean> {
  return page.evaluate(async () => {
    for await (const _ of (await navigator.storage.getDirectory()).keys()) return true;
    return false;
  });
}
