/** The donate page in real Chromium, with an engine that tells what each test wants: looks, words, keys, and no script. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { buildWeb } from '../../build/web.ts';
import { OFF, type DonorStatus } from '../../core/donate/status.ts';
import { temporaryDirectory } from '../e2e/fixture.ts';
import { filesOf, launch, newContext, NO_CHROMIUM, type PageServer, PROJECT, servePages } from './chromium.ts';
import { HOSTILE_TEXTS } from './hostile-texts.ts';
import type { ScriptedDonor } from './page/scripted-engine.ts';
import { hasStarted } from './scripted-donor.ts';

declare const donor: ScriptedDonor;
declare const axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> };

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** For people to look at; ignored by git. */
const SCREENS = join(PROJECT, '.bench/screens');

const MB = 1e6;
const SERVING: DonorStatus = {
  ...OFF,
  state: 'serving',
  repository: { name: 'Debian tools', revision: 42, fingerprint: 'ab'.repeat(32) },
  id: '12D3KooWGJ8KqfXkyYtq5aVHVfFzDtPMW6ZfFvFFqJ8VdP1GQwLa',
  addresses: [],
  rate: 640_000,
  limit: MB,
  given: 18_342 * MB,
  month: 6_120 * MB,
  allowance: 20_000 * MB,
  stored: 412 * MB,
  quota: 500 * MB,
  helped: 318,
  peers: [
    { id: '12D3KooWD3bfmNbuuuVCYwkjnFt3ukm3qaB3hDED3peHHXawvRAi', transport: 'webrtc-direct', direction: 'outbound', sent: 84 * MB, received: 120_000 },
    { id: '12D3KooWQxLmPq1RfaMzVtT6BqyHuhPW2mBcG3uKTyXc4ZKxk9Ub', transport: 'webrtc', direction: 'inbound', sent: 3_400_000, received: 0 },
    { id: '12D3KooWAtq5aVHVfFzDtPMW6ZfFvFFqJ8VdP1GQwLaGJ8KqfXky', transport: 'websocket', direction: 'outbound', sent: 210_000, received: 61 * MB },
  ],
  held: [
    ['libc6', '2.36-9+deb12u10', 13.2],
    ['perl-base', '5.36.0-7+deb12u2', 7.8],
    ['python3.11-minimal', '3.11.2-6+deb12u5', 6.4],
    ['git', '1:2.39.5-0+deb12u2', 36.1],
    ['ripgrep', '13.0.0-4+b2', 4.6],
    ['openssl', '3.0.15-1~deb12u1', 2.4],
    ['curl', '7.88.1-10+deb12u12', 0.5],
    ['vim-runtime', '2:9.0.1378-2', 34.2],
    ['ca-certificates', '20230311', 0.4],
    ['tzdata', '2025b-0+deb12u1', 3.1],
  ].map(([name, version, size]) => ({ name: String(name), version: String(version), architecture: 'amd64', held: Number(size) * MB, bytes: Number(size) * MB })),
};
const FILLING = {
  ...SERVING,
  state: 'filling',
  rate: 0,
  stored: 180 * MB,
  filling: { done: 180 * MB, total: 412 * MB, rate: 2 * MB },
  held: SERVING.held.map((each, i) => (i === 4 ? { ...each, held: each.bytes / 3 } : i > 4 ? { ...each, held: 0 } : each)),
} as DonorStatus;

describe('the donate page', { skip: NO_CHROMIUM, timeout: 600_000 }, () => {
  const directory = temporaryDirectory('page');
  let server: PageServer;
  let browser: Browser;
  /** What the browser complained about, with any policy that was broken. */
  let complaints: string[] = [];

  before(async () => {
    mkdirSync(SCREENS, { recursive: true });
    await buildWeb({ directory: directory.path, engine: join(PROJECT, 'tests/web/page/scripted-engine.ts') });
    server = await servePages(filesOf(directory.path));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    directory.remove();
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    complaints = [];
    const context = await newContext(browser, { locale: 'en-GB', viewport: { width: 1000, height: 900 }, bypassCSP: false, ...options });
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${server.url}/`);
    await page.waitForSelector('h1');
    return page;
  }

  async function openGiving(status: DonorStatus, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await open(options);
    await page.click('button.primary');
    await hasStarted(page);
    await act(page, status);
    return page;
  }

  async function close(page: Page): Promise<void> {
    await page.context().close();
    assert.deepEqual(complaints, [], 'the browser had nothing to complain about');
  }

  it('asks for nothing but itself, and keeps nothing, before somebody agrees', async () => {
    server.requests.length = 0;
    const context = await newContext(browser);
    const page = await context.newPage();
    const asked: string[] = [];
    context.on('request', (request) => asked.push(request.url()));
    await page.goto(`${server.url}/`);
    await page.waitForSelector('button.primary');
    await page.mouse.move(200, 300);
    await page.keyboard.press('Tab');
    await page.reload();
    await page.waitForSelector('button.primary');
    await page.waitForLoadState('networkidle');
    const own = ['/', '/moss-page.css', '/moss-page.js'];
    assert.deepEqual([...new Set(asked.filter((url) => !url.startsWith('data:')).map((url) => new URL(url).pathname))].toSorted(), own);
    assert.deepEqual([...new Set(server.requests)].toSorted(), own);
    assert.equal(await page.evaluate(() => document.cookie + localStorage.length), '0');
    await context.close();
  });

  it('loads the engine once somebody agrees, with the hash that the build gave it', async () => {
    server.requests.length = 0;
    const page = await openGiving(SERVING);
    assert.equal(server.requests.filter((path) => path.startsWith('/moss-engine.')).length, 1);
    assert.match((await page.getAttribute('link[rel=modulepreload]', 'integrity')) ?? '', /^sha384-/);
    assert.equal(await line(page), 'Giving to 3 machines');
    await close(page);
  });

  it('does not run an engine with another hash', async () => {
    const page = await open();
    await page.route('**/moss-engine.*', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${await response.text()}\nglobalThis.forged = true;` });
    });
    await page.click('button.primary');
    await page.waitForFunction(() => document.querySelector('h1')?.textContent?.startsWith('It could not be started'));
    assert.equal(await page.evaluate(() => 'forged' in globalThis), false);
    await page.context().close();
  });

  it('shows rate beside limit, what was given, what is stored, who is connected, and what is held', async () => {
    const page = await openGiving(SERVING);
    await page.waitForFunction(() => document.querySelector('h1')?.textContent?.startsWith('Giving'));
    const text = await page.innerText('main');
    for (const each of ['640 kB/s', 'of 1 MB/s', '18.3 GB', 'to 318 machines', '6.1 GB', 'of 20 GB', '412 MB', 'of 500 MB', 'webrtc-direct, this tab called', 'webrtc, they called', '84 MB', 'ripgrep', 'Debian tools, revision 42']) {
      assert.ok(text.includes(each), `${each} is to be read in: ${text}`);
    }
    assert.equal(await page.locator('tbody >> nth=1').locator('tr').count(), 8);
    await page.click('text=Show all 10');
    assert.equal(await page.locator('tbody >> nth=1').locator('tr').count(), 10);
    assert.match((await page.getAttribute('.plot svg', 'aria-label')) ?? '', /Now 640 kB\/s/);
    assert.notEqual(await page.getAttribute('.plot-line', 'd'), '');
    await close(page);
  });

  it('pauses, goes on, stops, starts again and deletes, and says so', async () => {
    const page = await openGiving(SERVING);
    await page.click('text=Pause');
    assert.equal(await line(page), 'Paused');
    await page.click('text=Go on');
    assert.equal(await line(page), 'Giving to 3 machines');
    await page.click('button:text-is("Stop")');
    await page.waitForFunction(() => document.querySelector('h1')?.textContent?.startsWith('Stopped'));
    await page.click('text=Start again');
    await page.waitForFunction(() => document.querySelector('h1')?.textContent?.startsWith('Looking'));
    await page.click('text=Delete everything');
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Keep it', 'the harmless answer has the focus');
    await page.click('text=Yes, delete');
    await page.waitForSelector('text=Agree and start');
    assert.deepEqual((await page.evaluate(() => donor.calls)).slice(-3), ['start', 'deleteEverything', 'stop']);
    await page.reload();
    await page.waitForSelector('text=Agree and start');
    await close(page);
  });

  it('says nothing of other tabs while it waits for the answer of the browser', async () => {
    const page = await open();
    await page.evaluate(() => {
      const { locks } = navigator;
      const request = locks.request.bind(locks) as (...all: unknown[]) => Promise<unknown>;
      const granted = new Promise<void>((grant) => Object.assign(globalThis, { grant }));
      Object.assign(locks, { request: (...all: unknown[]) => granted.then(() => request(...all)) });
      const main = document.querySelector('main');
      const lines: string[] = [];
      if (main !== null) new MutationObserver(() => lines.push(document.querySelector('h1')?.textContent ?? '')).observe(main, { childList: true, characterData: true, subtree: true });
      Object.assign(globalThis, { lines });
    });
    await page.click('button.primary');
    await page.waitForFunction(() => 'donor' in globalThis);
    await page.evaluate(() => (globalThis as unknown as { grant(): void }).grant());
    await hasStarted(page);
    await act(page, SERVING);
    assert.deepEqual([...new Set(await page.evaluate(() => (globalThis as unknown as { lines: string[] }).lines))], ['Getting ready', 'Looking for the repository and for peers', 'Giving to 3 machines']);
    await close(page);
  });

  it('keeps limits over a reload, and goes on by itself; who stopped stays stopped', async () => {
    const page = await openGiving(SERVING);
    await page.fill('#limit-rate', '2.5');
    await page.fill('#limit-month', '0');
    await page.selectOption('#hidden', '10');
    await page.check('#hours');
    await page.fill('#from', '00:00');
    await page.fill('#to', '00:00');
    await page.click('button:text-is("Save")');
    await page.waitForSelector('text=Saved');
    await page.reload();
    await hasStarted(page);
    const settings = await page.evaluate(() => donor.settings);
    assert.deepEqual({ rate: settings?.rate, month: settings?.month, hidden: settings?.hidden, hours: settings?.hours }, { rate: 2_500_000, month: 0, hidden: 600_000, hours: { from: 0, to: 0 } });
    assert.equal(await page.inputValue('#limit-rate'), '2.5');
    await page.click('button:text-is("Stop")');
    await page.waitForSelector('text=Start again');
    await page.reload();
    await page.waitForSelector('text=Start again');
    assert.equal(await page.evaluate(() => 'donor' in globalThis), false, 'the engine is not even loaded');
    await close(page);
  });

  it('says what is wrong with an address, and agrees to nothing', async () => {
    const page = await open();
    for (const wrong of ['', 'example.org', 'javascript:alert(1)', 'https://example.org/?a=b']) {
      await page.fill('#repository', wrong);
      await page.keyboard.press('Enter');
      assert.match(await page.innerText('#repository-wrong'), /^Write its web address/);
    }
    assert.equal(await page.evaluate(() => 'donor' in globalThis), false);
    await close(page);
  });

  it('is used by keyboard alone', async () => {
    const page = await open();
    const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent || '');
    const reach = async (what: string): Promise<void> => {
      for (let presses = 0; presses < 40; presses++) {
        if ((await focused()) === what) return;
        await page.keyboard.press('Tab');
      }
      assert.fail(`${what} is not reached by Tab`);
    };
    await reach('Agree and start');
    await page.keyboard.press('Enter');
    await hasStarted(page);
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1', 'the focus follows to the new heading');
    await reach('Pause');
    await page.keyboard.press('Space');
    assert.equal(await line(page), 'Paused');
    await reach('limit-rate');
    await reach('Delete everything');
    await reach('language');
    await close(page);
  });

  it('tells a screen reader that something is otherwise, and not each number', async () => {
    const page = await openGiving(SERVING);
    await page.evaluate(() => {
      const said: string[] = [];
      const spoken = document.querySelector('[role=status].unseen');
      if (spoken !== null) new MutationObserver(() => said.push(spoken.textContent ?? '')).observe(spoken, { childList: true, characterData: true, subtree: true });
      Object.assign(globalThis, { said });
    });
    for (let rate = 1; rate < 20; rate++) await act(page, { ...SERVING, rate: rate * 30_000 });
    await page.click('text=Pause');
    assert.deepEqual(await page.evaluate(() => (globalThis as unknown as { said: string[] }).said), ['Paused']);
    assert.equal(await page.locator('[aria-live], [role=status], [role=alert]').count(), 2);
    await close(page);
  });

  it('speaks German to who wants that, and changes its language', async () => {
    const page = await open({ locale: 'de-AT' });
    assert.equal(await line(page), 'Leihen Sie etwas von Ihrer Leitung');
    await page.click('button.primary');
    await hasStarted(page);
    await act(page, SERVING);
    assert.equal(await line(page), 'Gibt an 3 Rechner');
    assert.match(await page.innerText('main'), /18,3\sGB/);
    await page.selectOption('#language', 'en');
    assert.equal(await line(page), 'Giving to 3 machines');
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
    await page.reload();
    await page.waitForSelector('text=Language');
    await close(page);
  });

  it('has every text in every language, and none that is not used', () => {
    for (const part of ['page', 'status', 'element']) {
      const [english, german] = ['en', 'de'].map((language) => Object.keys(JSON.parse(readFileSync(join(PROJECT, 'web/languages', language, `${part}.json`), 'utf8')) as object));
      assert.deepEqual(german, english);
    }
  });

  // From a real publisher and real peers: `hostile.test.ts`; why it is idle: `served-page.test.ts`.
  it('never runs what is in a name, an id or a message, and shows it as it is', async () => {
    const page = await openGiving(SERVING);
    await page.evaluate(() => Object.assign(globalThis, { ran: 0, alert: () => { (globalThis as unknown as { ran: number }).ran++; } }));
    assert.ok(HOSTILE_TEXTS.length >= 200);
    for (const text of HOSTILE_TEXTS) {
      const hostile = {
        ...SERVING,
        repository: { name: text, revision: 1, fingerprint: text },
        id: text,
        addresses: [text],
        peers: [{ id: text, transport: text, direction: text, sent: 1, received: 1 }],
        held: [{ name: text, version: text, architecture: text, held: 1, bytes: 1 }],
      } as unknown as DonorStatus;
      await act(page, hostile);
      assert.ok((await page.evaluate(() => document.querySelector('.package')?.textContent)) === text);
      await act(page, { ...hostile, state: 'failing', failure: { code: text, message: text, hint: text } } as DonorStatus);
      assert.ok(await page.evaluate((each) => document.querySelector('.why')?.textContent?.includes(each), text));
    }
    assert.equal(await page.evaluate(() => (globalThis as unknown as { ran: number }).ran), 0);
    assert.equal(await page.evaluate(() => document.querySelectorAll('main script, main img, main iframe, main a, main style, main object').length), 0);
    assert.equal(page.url(), `${server.url}/`);
    await close(page);
  });

  describe('looks as it should, and axe finds nothing', () => {
    const LOOKS: Record<string, BrowserContextOptions> = {
      light: { colorScheme: 'light' },
      dark: { colorScheme: 'dark' },
      narrow: { colorScheme: 'light', viewport: { width: 320, height: 640 } },
      'narrow-dark-german': { colorScheme: 'dark', viewport: { width: 320, height: 640 }, locale: 'de-DE' },
      'reduced-motion': { reducedMotion: 'reduce' },
    };
    const STATES: Record<string, DonorStatus | undefined> = {
      asking: undefined,
      connecting: { ...OFF, state: 'connecting', quota: 500 * MB },
      filling: FILLING,
      serving: SERVING,
      waiting: { ...SERVING, rate: 0, peers: [] },
      failing: { ...OFF, state: 'failing', failure: { code: 'source-failed', message: 'https://example.org did not answer' } },
    };
    for (const [look, options] of Object.entries(LOOKS)) {
      for (const [state, status] of Object.entries(STATES)) {
        it(`${state}, ${look}`, async () => {
          const page = status === undefined ? await open(options) : await openGiving(status, options);
          if (state === 'serving') await playRates(page);
          await page.screenshot({ path: join(SCREENS, `${state}-${look}.png`), fullPage: true });
          assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the screen');
          await page.evaluate(AXE);
          const { violations } = await page.evaluate(() => axe.run());
          assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`)]), []);
          await close(page);
        });
      }
    }
  });
});

function act(page: Page, status: DonorStatus): Promise<void> {
  return page.evaluate((each) => donor.act(each), status);
}

function line(page: Page): Promise<string> {
  return page.innerText('h1');
}

/** Five minutes of rates, by moving the clock of the page on. */
async function playRates(page: Page): Promise<void> {
  await page.evaluate((status) => {
    const now = Date.now.bind(Date);
    for (let second = 1; second <= 300; second++) {
      Date.now = () => now() + second * 1000;
      const wave = Math.sin(second / 17) * 0.25 + Math.sin(second / 4) * 0.12 + 0.55;
      donor.act({ ...status, rate: second > 90 && second < 120 ? 0 : Math.round(wave * 1e6) });
    }
    donor.act(status);
  }, SERVING);
}
