/** The donate page, the real engine, and a publisher, a site and peers that mean harm: nothing that they say runs. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Libp2p } from 'libp2p';
import type { Browser, Page } from 'playwright-core';
import { buildWeb } from '../../build/web.ts';
import { makeRepository, temporaryDirectory, writePackage } from '../e2e/fixture.ts';
import { filesOf, launch, newContext, NO_CHROMIUM, type PageServer, PROJECT, servePages } from './chromium.ts';
import { badIndexOf, entriesOf, HostilePublisher, hostilePeer, versionOf } from './hostile-stage.ts';
import { HOSTILE_TEXTS } from './hostile-texts.ts';

/** Characters that the name of a repository may have, and that an error shows of a version. */
const NAME = 256;
const SHOWN = 78;

describe('the donate page among those who mean harm', { skip: NO_CHROMIUM, timeout: 600_000 }, () => {
  const directory = temporaryDirectory('hostile-page');
  let publisher: HostilePublisher;
  let peers: Libp2p[];
  let server: PageServer;
  let browser: Browser;
  let page: Page;
  /** What ran, what broke a policy, what was asked of somebody else, and what the page complained of. */
  const harm: string[] = [];
  let asked = 0;

  before(async () => {
    const dist = join(directory.path, 'web');
    await buildWeb({ directory: dist });
    publisher = new HostilePublisher((await makeRepository(directory.path, [writePackage(directory.path, { name: 'pea', small: 3 })])).directory);
    await publisher.sign('harmless', (entries) => entriesOf(HOSTILE_TEXTS, entries));
    const third = Math.ceil(HOSTILE_TEXTS.length / 3);
    peers = await Promise.all([0, 1, 2].map((i) => hostilePeer(HOSTILE_TEXTS.slice(i * third, (i + 1) * third), { raves: i === 2 })));
    const files = filesOf(dist);
    server = await servePages((path) => {
      const texts = HOSTILE_TEXTS.slice(asked % HOSTILE_TEXTS.length, (asked % HOSTILE_TEXTS.length) + 16);
      if (path === '/moss.json') return { body: JSON.stringify({ peers: [...peers.flatMap((peer) => peer.getMultiaddrs().map(String)), ...texts], relays: texts }) };
      if (!path.startsWith('/routing/')) return publisher.serve(path) ?? files(path);
      asked += texts.length;
      return { body: JSON.stringify({ Providers: texts.map((text) => ({ Schema: text, ID: text, Addrs: [text, `/dns4/${text}/tcp/1/ws`], Protocols: [text] })) }) };
    });
    browser = await launch();
    page = await (await newContext(browser, { locale: 'en-GB' })).newPage();
    await page.addInitScript(() => {
      Object.assign(globalThis, { alert: () => void console.error('HARM it ran') });
      addEventListener('securitypolicyviolation', ({ violatedDirective, sample }) => console.error(`HARM ${violatedDirective}: ${sample}`));
    });
    page.on('console', (message) => {
      if (/HARM|Content Security Policy|Trusted/.test(message.text())) harm.push(message.text());
    });
    page.on('pageerror', (error) => harm.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(`${server.url}/`) && !request.url().startsWith('blob:')) harm.push(`asked for ${request.url()}`);
    });
    page.on('framenavigated', (frame) => {
      if (frame.url() !== `${server.url}/`) harm.push(`went to ${frame.url()}`);
    });
  });
  after(async () => {
    await browser?.close();
    await Promise.all([...(peers ?? []).map((peer) => peer.stop()), server?.close()]);
    directory.remove();
  });

  /** Nothing ran, and nothing became markup. */
  async function isUnharmed(): Promise<void> {
    assert.deepEqual(harm, []);
    assert.equal(await page.evaluate(() => document.querySelectorAll('script, img, iframe, main a, main style, object, base, main link, video').length), 1, 'the page has one script: its own');
  }

  /** A lower or higher quota is looked at at once, with the newest revision. */
  let quota = 100;
  async function look(): Promise<void> {
    quota = quota === 100 ? 110 : 100;
    await page.fill('#limit-quota', String(quota));
    await page.click('button:text-is("Save")');
  }

  it('shows 200 versions of packages as they are', async () => {
    assert.ok(HOSTILE_TEXTS.length >= 200);
    await page.goto(`${server.url}/`);
    await page.fill('#limit-rate', '0');
    await page.click('text=Agree and start');
    await page.waitForFunction(() => /^(Ready|Giving)/.test(document.querySelector('h1')?.textContent ?? ''));
    await page.click('text=/^Show all/');
    const shown = await page.evaluate(() => [...document.querySelectorAll('.version')].map((each) => each.textContent));
    for (const text of HOSTILE_TEXTS) assert.ok(shown.some((version) => version.startsWith(`${versionOf(text)} `)), text);
    await isUnharmed();
  });

  it('meets peers with 200 agents and protocols, of which one says nothing else, and addresses that are none', async () => {
    const rows = (): Promise<string[]> => page.evaluate(() => [...document.querySelectorAll('.id')].map((each) => each.getAttribute('title') ?? ''));
    const polite = peers.slice(0, 2).map((peer) => peer.peerId.toString());
    await page.waitForFunction((ids) => ids.every((id) => document.querySelector(`.id[title="${id}"]`) !== null), polite);
    assert.ok((await rows()).every((id) => peers.some((peer) => peer.peerId.toString() === id)));
    assert.ok(server.requests.some((path) => path.startsWith('/routing/')));
    await isUnharmed();
  });

  it('shows the repository by 200 names as they are', async () => {
    for (const name of packed(HOSTILE_TEXTS, NAME)) {
      await publisher.sign(name, (entries) => entriesOf(['1.0'], entries));
      await look();
      await page.waitForFunction((text) => document.querySelector('.source')?.textContent?.includes(text), name);
    }
    await isUnharmed();
  });

  it('shows errors with 200 texts in them as they are', async () => {
    for (const text of packed(HOSTILE_TEXTS, SHOWN)) {
      await publisher.sign('harmless', (entries) => badIndexOf(text, entries));
      await look();
      const said = JSON.stringify(` ${text}`.slice(0, 80)).slice(0, -1);
      await page.waitForFunction((each) => document.querySelector('.why')?.textContent?.includes(each), said);
    }
    await page.screenshot({ path: join(PROJECT, '.bench/screens', 'failing-hostile.png'), fullPage: true });
    await isUnharmed();
  });
});

/** All of the texts, as many together as there is room for. */
function packed(texts: readonly string[], most: number): string[] {
  const out: string[] = [];
  for (const text of texts) {
    const last = out.at(-1);
    if (last !== undefined && last.length + text.length <= most) out[out.length - 1] = last + text;
    else out.push(text);
  }
  return out;
}
