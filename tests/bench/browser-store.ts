/** The store of a tab, with a gibibyte in it: how long it takes to open, and what it takes to serve from. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { cidOf, RAW } from '../../core/dag/cid.ts';
import { nodeClock } from '../../node/clock.ts';
import { nodeHasher } from '../../node/hasher.ts';
import { numbered } from '../fixtures/noise.ts';
import { Puller } from '../web/pull.ts';
import { bundle, launchProfile, servePages } from '../web/chromium.ts';
import { median, type Figure } from './report.ts';
import type { BenchOptions } from './run.ts';

const BLOCKS = 100_000;
const SIZE = Math.floor(2 ** 30 / BLOCKS);
const SERVED = 20_000;
/** Blocks a second, and seconds, of a tab that gives 1 MB a second. */
const SLOW = Math.floor(1e6 / SIZE);
const SLOW_SECONDS = 20;

export async function storeFigures({ cache, rounds, note }: BenchOptions): Promise<Figure[]> {
  const profile = join(cache, 'browser-profile');
  rmSync(profile, { recursive: true, force: true });
  const script = await bundle('tests/web/page/store.ts');
  const server = await servePages((path) => (path === '/page.js' ? { body: script } : path === '/' ? { body: '<title>moss-bench</title><script type="module" src="/page.js"></script>', type: 'text/html' } : undefined));
  let context = await launchProfile(profile);
  try {
    let page = await context.newPage();
    await load(page, server.url);
    note(`Filling a store with ${BLOCKS} blocks of ${SIZE} bytes ...`);
    const start = performance.now();
    const filled = await page.evaluate<string>(`bench.fill('store', 0, ${BLOCKS}, ${SIZE}, 'pack')`);
    if (filled !== 'fine') throw new Error(`the store could not be filled: ${filled}`);
    await page.evaluate(`bench.sync('store')`);
    const fill = (performance.now() - start) / 1000;
    const measured: Measured = { reopen: [], serve: [], bare: [], open: [], usual: [], full: [] };
    for (let round = 0; round < rounds; round++) {
      // A browser of its own, as after a restart: the one that filled the store has memory of that.
      await context.close();
      context = await launchProfile(profile);
      page = await context.newPage();
      await load(page, server.url);
      measured.bare.push(rendererBytes(profile));
      measured.reopen.push(await page.evaluate<number>(`bench.reopen('store', ${(round * 31_337) % BLOCKS}, ${SIZE})`));
      await page.evaluate(`bench.choose(${BLOCKS}, ${SERVED}, ${SIZE})`);
      // Making the blocks again to know their names left as many bytes behind.
      await page.requestGC();
      measured.serve.push(await page.evaluate<number>(`bench.serve('store', ${SIZE})`));
      await context.close();
      context = await launchProfile(profile);
      page = await context.newPage();
      await load(page, server.url);
      await whileGiving(page, profile, measured);
    }
    return [
      { what: 'filling: blocks of 10.7 kB put, each hashed', value: BLOCKS / fill, unit: '/s' },
      { what: 'reopening 1 GiB in 100,000 blocks, to the first block', value: median(measured.reopen) / 1000, unit: 's', goal: { most: 2 } },
      { what: 'blocks served at random, each hashed', value: (SERVED * 1000) / median(measured.serve), unit: '/s' },
      { what: 'memory of a tab: before it opens the store', value: median(measured.bare) / 1e6, unit: 'MB' },
      { what: 'with all blocks listed, and connected to a peer', value: median(measured.open) / 1e6, unit: 'MB' },
      { what: 'while it gives 1 MB a second, which is the default', value: median(measured.usual) / 1e6, unit: 'MB', goal: { most: 150 } },
      { what: 'while it gives as fast as it can: the most that was seen', value: median(measured.full) / 1e6, unit: 'MB', goal: { most: 150 } },
    ];
  } finally {
    await context.close();
    await server.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

type Measured = Record<'reopen' | 'serve' | 'bare' | 'open' | 'usual' | 'full', number[]>;

/** Gives blocks here and there to a machine by WebRTC-direct, as a donor does: slowly, and then as fast as it goes. */
async function whileGiving(page: Page, profile: string, { open, usual, full }: Measured): Promise<void> {
  const state = mkdtempSync(join(tmpdir(), 'moss-bench-'));
  const puller = await Puller.start(state);
  try {
    await page.evaluate(`bench.give('store', ${SIZE}, ${JSON.stringify(puller.addresses)})`);
    open.push(rendererBytes(profile));
    const cids = Array.from({ length: SERVED }, (_, i) => cidOf(RAW, nodeHasher.sha256(numbered((i * 7919) % BLOCKS, SIZE))).toString());
    const slow = cids.slice(0, SLOW_SECONDS * SLOW);
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, rendererBytes(profile))), 250);
    try {
      for (let at = 0; at < slow.length; at += SLOW) await Promise.all([puller.pull(slow.slice(at, at + SLOW), SIZE), nodeClock.sleep(1000)]);
      usual.push(most);
      await puller.pull(cids.slice(slow.length), SIZE);
      full.push(most);
    } finally {
      clearInterval(watch);
    }
  } finally {
    await puller.stop();
    rmSync(state, { recursive: true, force: true });
  }
}

async function load(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.waitForFunction(`'bench' in globalThis`);
}

/** The proportional set size (proc(5), smaps_rollup) of the largest renderer of the profile: the one with the page. */
function rendererBytes(profile: string): number {
  const sizes = readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (!words.includes('--type=renderer') || !words.includes(profile)) return [];
      return [1024 * Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)];
    } catch {
      return [];
    }
  });
  return Math.max(...sizes, 0);
}
