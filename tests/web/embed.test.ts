/** The element on somebody else's site, under a strict policy, with an engine that tells what each test wants. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { buildWeb, type BuiltWeb } from '../../build/web.ts';
import { OFF, type DonorStatus } from '../../core/donate/status.ts';
import { temporaryDirectory } from '../e2e/fixture.ts';
import { filesOf, launch, newContext, NO_CHROMIUM, type PageServer, PROJECT, servePages } from './chromium.ts';
import { HOSTILE_TEXTS } from './hostile-texts.ts';
import type { ScriptedDonor } from './page/scripted-engine.ts';
import { hasStarted } from './scripted-donor.ts';

declare const donor: ScriptedDonor;
declare const engineOptions: { connections?: number };
declare const axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SCREENS = join(PROJECT, '.bench/screens');
const SERVING = { ...OFF, state: 'serving', rate: 340_000, given: 1_200_000_000, helped: 14, peers: [{ id: 'a', transport: 'webrtc', direction: 'inbound', sent: 1, received: 0 }] } as DonorStatus;

/** As a reader of `web/README.md` would write it: everything forbidden but what the README lists. */
function policyFor(origin: string): string {
  return `default-src 'none'; script-src ${origin}; style-src 'self'; connect-src https: http: wss: ws:; worker-src blob:; frame-src ${origin}; require-trusted-types-for 'script'; trusted-types moss`;
}

describe('the embedded element', { skip: NO_CHROMIUM, timeout: 600_000 }, () => {
  const directory = temporaryDirectory('embed');
  let built: BuiltWeb;
  /** Where the element's files are, and the site that embeds them: two origins. */
  let files: PageServer;
  let site: PageServer;
  let browser: Browser;
  let complaints: string[] = [];
  let snippet = '';

  before(async () => {
    mkdirSync(SCREENS, { recursive: true });
    built = await buildWeb({ directory: directory.path, engine: join(PROJECT, 'tests/web/page/scripted-engine.ts') });
    files = await servePages(filesOf(directory.path));
    const integrity = built.files.find(({ name }) => name === 'moss-seeder.js')?.integrity ?? '';
    const script = `<script type="module" src="${files.url}/moss-seeder.js" integrity="${integrity}" crossorigin="anonymous"></script>`;
    const seeder = '<moss-seeder repository="https://packages.example.org/tools" rate="1MB/s" quota="500MB" month="20GB"></moss-seeder>';
    snippet = `${script}${seeder}`;
    site = await servePages((path) => {
      const headers = { 'Content-Security-Policy': `${policyFor(files.url)}; img-src data:` };
      if (path === '/site.css') return { body: ':root { color-scheme: light dark } moss-seeder, iframe { display: block; width: 22rem; max-width: 100%; height: 18rem } iframe { border: 0 } .theme { --moss-accent: #7b2d8b; --moss-radius: 0 }' };
      if (path === '/') return { body: siteWith(snippet), type: 'text/html', headers };
      if (path === '/de') return { body: siteWith(snippet).replace('lang="en"', 'lang="de"'), type: 'text/html', headers };
      if (path === '/themed') return { body: siteWith(snippet.replace('<moss-seeder', '<moss-seeder class="theme"')), type: 'text/html', headers };
      if (path === '/forged') return { body: siteWith(snippet.replace(/integrity="sha384-./, 'integrity="sha384-x')), type: 'text/html', headers };
      if (path === '/other') return { body: siteWith(snippet.replace('/tools', '/games')), type: 'text/html', headers };
      if (path === '/wrong') return { body: siteWith(snippet.replace('https://packages.example.org/tools', 'javascript:alert(1)')), type: 'text/html', headers };
      if (path === '/frame') return { body: siteWith(`<iframe title="Help hand out packages" src="${files.url}/frame.html?repository=https://packages.example.org/tools&amp;rate=1MB/s"></iframe>`), type: 'text/html', headers };
      return undefined;
    });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await site?.close();
    await files?.close();
    directory.remove();
  });

  async function open(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
    complaints = [];
    const context = await newContext(browser, { locale: 'en-GB', viewport: { width: 700, height: 560 }, ...options });
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.addInitScript(() => {
      const events: string[] = [];
      let shift = 0;
      for (const type of ['start', 'stop', 'progress']) document.addEventListener(type, (event) => events.push(`${type} ${(event as CustomEvent<{ state: string }>).detail.state}`), true);
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shift += (entry as PerformanceEntry & { value: number }).value;
        Object.assign(globalThis, { shift });
      }).observe({ type: 'layout-shift', buffered: true });
      Object.assign(globalThis, { events, shift });
    });
    await page.goto(`${site.url}${path}`);
    return page;
  }

  async function openGiving(status: DonorStatus = SERVING, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await open('/', options);
    await page.click('moss-seeder >> text=Agree and start');
    await hasStarted(page);
    await page.evaluate((each) => donor.act(each), status);
    return page;
  }

  async function close(page: Page): Promise<void> {
    await page.context().close();
    assert.deepEqual(complaints, [], 'the browser had nothing to complain about, a broken policy least of all');
  }

  it('asks, and has fetched nothing but the loader', async () => {
    files.requests.length = 0;
    const page = await open();
    const asked: string[] = [];
    page.context().on('request', (request) => asked.push(request.url()));
    await page.waitForSelector('moss-seeder >> text=Agree and start');
    await page.reload();
    await page.waitForSelector('moss-seeder >> text=Agree and start');
    await page.waitForLoadState('networkidle');
    assert.deepEqual([...new Set(files.requests)], ['/moss-seeder.js']);
    assert.deepEqual([...new Set(asked.filter((url) => !url.startsWith('data:')))].toSorted(), [`${site.url}/`, `${site.url}/site.css`, `${files.url}/moss-seeder.js`].toSorted());
    const text = await page.locator('moss-seeder >> .panel:visible').innerText();
    for (const each of ['500 MB', 'packages.example.org', '1 MB/s', '20 GB a month', 'IP address', new URL(site.url).host]) assert.ok(text.includes(each), `${each} is to be read in: ${text}`);
    await close(page);
  });

  it('starts on the click of a person, with the limits of its attributes and at most 8 connections', async () => {
    const page = await openGiving();
    const settings = await page.evaluate(() => donor.settings);
    assert.deepEqual({ repository: settings?.repository, rate: settings?.rate, quota: settings?.quota, month: settings?.month }, { repository: 'https://packages.example.org/tools', rate: 1e6, quota: 500e6, month: 20e9 });
    assert.equal(await page.evaluate(() => engineOptions.connections), 8);
    const text = await page.locator('moss-seeder >> .panel:visible').innerText();
    for (const each of ['Giving to 1 machine', '340 kB/s of 1 MB/s', '1.2 GB given to 14 so far', 'You agreed for']) assert.ok(text.includes(each), `${each} is to be read in: ${text}`);
    await close(page);
  });

  it('tells the site by events that it started, goes on, and stopped', async () => {
    const page = await openGiving();
    await page.click('moss-seeder >> text=Pause');
    await page.waitForFunction(() => (globalThis as unknown as { events: string[] }).events.includes('progress idle'));
    await page.click('moss-seeder >> text=Stop');
    await page.waitForFunction(() => (globalThis as unknown as { events: string[] }).events.some((event) => event.startsWith('stop')));
    const events = await page.evaluate(() => (globalThis as unknown as { events: string[] }).events);
    assert.equal(events[0], 'start off');
    assert.equal(events.filter((event) => event.startsWith('start')).length, 1);
    assert.ok(events.includes('progress serving'));
    assert.equal(events.at(-1), 'stop off');
    await close(page);
  });

  it('goes on after a reload, and asks again for another repository', async () => {
    const page = await openGiving();
    await page.reload();
    await hasStarted(page);
    await page.goto(`${site.url}/other`);
    await page.waitForSelector('moss-seeder >> text=Agree and start');
    assert.equal(await page.evaluate(() => 'donor' in globalThis), false);
    await close(page);
  });

  it('forgets consent when everything is deleted', async () => {
    const page = await openGiving();
    await page.click('moss-seeder >> text=Stop');
    await page.click('moss-seeder >> text=Delete');
    await page.waitForSelector('moss-seeder >> text=Agree and start');
    await page.reload();
    await page.waitForSelector('moss-seeder >> text=Agree and start');
    await close(page);
  });

  it('keeps its box: nothing on the site moves, whatever it shows', async () => {
    const page = await open();
    await page.waitForSelector('moss-seeder >> text=Agree and start');
    const place = (): Promise<number | undefined> => page.evaluate(() => document.querySelector('main > p')?.getBoundingClientRect().y);
    const first = await place();
    assert.equal(await page.evaluate(() => (globalThis as unknown as { shift: number }).shift), 0, 'nothing has moved since the page began');
    await page.click('moss-seeder >> text=Agree and start');
    await hasStarted(page);
    await page.evaluate(() => donor.act({ ...donor.status, state: 'failing', failure: { code: 'x', message: 'word '.repeat(200) } } as never));
    assert.equal(await place(), first);
    const box = await page.locator('moss-seeder').boundingBox();
    assert.deepEqual([box?.width, box?.height], [352, 288]);
    await close(page);
  });

  it('takes colours of the site', async () => {
    const page = await open('/themed');
    await page.waitForSelector('moss-seeder >> text=Agree and start');
    const style = await page.locator('moss-seeder >> button').first().evaluate((button) => getComputedStyle(button).backgroundColor);
    assert.equal(style, 'rgb(123, 45, 139)');
    await page.screenshot({ path: join(SCREENS, 'element-themed.png') });
    await close(page);
  });

  it('does not run when the loader has another hash than the site expects', async () => {
    const page = await open('/forged');
    await page.waitForLoadState('networkidle');
    assert.equal(await page.evaluate(() => customElements.get('moss-seeder') === undefined), true);
    await page.context().close();
  });

  it('says that its repository is no web address', async () => {
    const page = await open('/wrong');
    await page.waitForSelector('moss-seeder >> text=has to be a web address');
    await close(page);
  });

  it('works in a frame, whose consent is its own', async () => {
    const page = await open('/frame');
    const frame = page.frameLocator('iframe');
    await frame.locator('text=Agree and start').click();
    const inner = page.frames()[1];
    assert.ok(inner !== undefined);
    await hasStarted(inner);
    await inner.evaluate((each) => donor.act(each), SERVING);
    await frame.locator('.title >> text=Giving to 1 machine').waitFor();
    await page.goto(`${site.url}/`);
    await page.waitForSelector('moss-seeder >> text=Agree and start');
    await close(page);
  });

  it('never runs what is in a message', async () => {
    const page = await openGiving();
    await page.evaluate(() => Object.assign(globalThis, { ran: 0, alert: () => { (globalThis as unknown as { ran: number }).ran++; } }));
    for (const text of HOSTILE_TEXTS) {
      await page.evaluate((each) => donor.act({ ...donor.status, state: 'failing', failure: { code: each, message: each } } as never), text);
      assert.ok(await page.evaluate((each) => document.querySelector('moss-seeder')?.shadowRoot?.textContent?.includes(each), text));
    }
    assert.equal(await page.evaluate(() => (globalThis as unknown as { ran: number }).ran), 0);
    await close(page);
  });

  const LOOKS: Record<string, { path?: string; agree?: string; options: BrowserContextOptions }> = {
    light: { options: { colorScheme: 'light' } },
    dark: { options: { colorScheme: 'dark' } },
    narrow: { options: { viewport: { width: 320, height: 560 } } },
    // The language of the site, whatever the person's is.
    german: { path: '/de', agree: 'Zustimmen und starten', options: {} },
  };
  for (const [look, { path = '/', agree = 'Agree and start', options }] of Object.entries(LOOKS)) {
    it(`looks as it should, and axe finds nothing: ${look}`, async () => {
      const page = await open(path, options);
      await page.waitForSelector('moss-seeder >> button');
      await check(page, `element-asking-${look}`);
      await page.locator(`moss-seeder >> button:text-is("${agree}")`).click();
      await hasStarted(page);
      await page.evaluate((each) => donor.act(each), SERVING);
      await check(page, `element-giving-${look}`);
      await page.evaluate((message) => donor.act({ ...donor.status, state: 'failing', failure: { code: 'source-failed', message } } as never), `https://packages.example.org/tools did not answer, ${'again and '.repeat(40)}again`);
      await check(page, `element-failing-${look}`);
      await close(page);
    });
  }
});

function siteWith(body: string): string {
  return `<!doctype html><html lang="en"><title>A site</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/site.css"><main><h1>A site</h1>${body}<p>What comes after it.</p></main>`;
}

async function check(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(SCREENS, `${name}.png`) });
  const overflow = await page.locator('moss-seeder').evaluate((seeder) => seeder.scrollHeight > seeder.clientHeight);
  assert.equal(overflow, false, 'all of it is seen');
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run());
  assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
}
