/** The store of a tab, with a gibibyte in it: how long it takes to open, and what it takes to serve from. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { bundle, launchProfile, servePages } from '../web/chromium.ts';
import { median, type Figure } from './report.ts';
import type { BenchOptions } from './run.ts';

const BLOCKS = 100_000;
const SIZE = Math.floor(2 ** 30 / BLOCKS);
const SERVED = 20_000;

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
    const [reopen, serve, memory, bare]: number[][] = [[], [], [], []];
    for (let round = 0; round < rounds; round++) {
      // A browser of its own, as after a restart: the one that filled the store has memory of that.
      await context.close();
      context = await launchProfile(profile);
      page = await context.newPage();
      await load(page, server.url);
      bare?.push(rendererBytes(profile));
      reopen?.push(await page.evaluate<number>(`bench.reopen('store', ${(round * 31_337) % BLOCKS}, ${SIZE})`));
      await page.evaluate(`bench.choose(${BLOCKS}, ${SERVED}, ${SIZE})`);
      // Making the blocks again to know their names left as many bytes behind.
      await page.requestGC();
      serve?.push(await page.evaluate<number>(`bench.serve('store', ${SIZE})`));
      memory?.push(rendererBytes(profile));
    }
    return [
      { what: 'filling: blocks of 10.7 kB put, each hashed', value: BLOCKS / fill, unit: '/s' },
      { what: 'reopening 1 GiB in 100,000 blocks, to the first block', value: median(reopen ?? []) / 1000, unit: 's', goal: { most: 2 } },
      { what: 'blocks served at random, each hashed', value: (SERVED * 1000) / median(serve ?? []), unit: '/s' },
      { what: 'memory of the tab while it serves', value: median(memory ?? []) / 1e6, unit: 'MB', goal: { most: 150 } },
      { what: 'memory of the tab before it opens the store', value: median(bare ?? []) / 1e6, unit: 'MB' },
    ];
  } finally {
    await context.close();
    await server.close();
    rmSync(profile, { recursive: true, force: true });
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
