/** A page stays quick while its tab gives as fast as it can: no task of its thread takes 50 ms. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { startStaticServer, type StaticServer } from '../../node/net/static-server.ts';
import { siteHints } from '../../node/peer/site-hints.ts';
import { makeRepository, temporaryDirectory, writePackage } from '../e2e/fixture.ts';
import { bundle, launch, NO_CHROMIUM, servePages, type PageServer } from './chromium.ts';
import { Puller } from './pull.ts';
import { donorSettings, Tab } from './swarm-of-one.ts';

/** Milliseconds: what the Long Tasks API calls long. */
const LONG = 50;
const LARGE = 8_000_000;
/** Before anything is measured, so that what has to be compiled is; and while it is. */
const WARM_UP = 2 * LARGE;
const PULLED = 12 * LARGE;

/** An event of Chromium's trace; durations are in microseconds. */
interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  dur?: number;
  /** Of the thread's own processor time. */
  tdur?: number;
  args?: { name?: string };
}

describe('a tab that gives at full rate', { skip: NO_CHROMIUM, timeout: 600_000 }, () => {
  const { path, remove } = temporaryDirectory('long-task');
  let browser: Browser;
  let pages: PageServer;
  let puller: Puller;
  let site: StaticServer;

  before(async () => {
    const repository = await makeRepository(path, [writePackage(path, { name: 'pea', small: 200, large: LARGE })]);
    puller = await Puller.start(path);
    site = await startStaticServer({
      directory: repository.site,
      host: '127.0.0.1',
      port: 0,
      // The machine that pulls is the peer that the site names.
      route: (request, response) => {
        if (request.url !== '/moss.json') return false;
        response.writeHead(200, { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': '*' }).end(siteHints(repository.site, { peers: puller.addresses, relays: [] }));
        return true;
      },
    });
    const script = await bundle('tests/web/donor-page.ts');
    pages = await servePages((each) => (each === '/donor.js' ? { body: script, type: 'text/javascript' } : { body: '<!doctype html><title>donor</title><script src="/donor.js"></script>', type: 'text/html' }));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await Promise.all([pages?.close(), site?.close(), puller?.stop()]);
    remove();
  });

  it('has no task of 50 ms on the thread of its page', async (test) => {
    const tab = await Tab.open(browser, { pages }, ['webrtc-direct']);
    await tab.start(donorSettings(site.url));
    await tab.shows('it serves', ({ state, peers }) => state === 'serving' && peers.length === 1);
    const held = await tab.held();
    const pull = async (bytes: number): Promise<void> => {
      for (let got = 0; got < bytes; ) got += await puller.pull(held);
    };
    await pull(WARM_UP);

    await tab.page.evaluate(() => {
      const seen: number[] = [];
      Object.assign(globalThis, { seen });
      new PerformanceObserver((list) => seen.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
    });
    await browser.startTracing(tab.page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
    const start = performance.now();
    await pull(PULLED);
    const rate = (PULLED * 1000) / (performance.now() - start);
    const trace: { traceEvents: TraceEvent[] } = JSON.parse((await browser.stopTracing()).toString());
    const seen = await tab.page.evaluate(() => Reflect.get(globalThis, 'seen') as number[]);

    const tasks = mainTasks(trace.traceEvents);
    const longest = Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000;
    test.diagnostic(`${(rate / 2 ** 20).toFixed(1)} MiB/s; ${tasks.length} tasks, the longest had ${longest.toFixed(1)} ms of the processor; the observer saw ${seen.length}: ${seen.join(', ')} ms`);
    assert.ok(tasks.length > 1000, `the trace has ${tasks.length} tasks`);
    assert.ok(longest < LONG, `a task took ${longest} ms of the processor`);
    // What the observer counts is the time on the clock, in which others have the processor as well: each that it saw must
    // be one that only waited for it.
    const waited = tasks.filter(({ dur = 0 }) => dur >= LONG * 1000);
    assert.ok(seen.length <= waited.length, `the observer saw ${seen.length} long tasks, and the trace ${waited.length} that waited`);
    assert.deepEqual(tab.problems, []);
    await tab.close();
  });
});

/** The tasks of the thread with the page: of all main threads, the one that was busiest. */
function mainTasks(events: readonly TraceEvent[]): TraceEvent[] {
  const mains = new Set(events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain').map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = Map.groupBy(events.filter(({ ph, name, pid, tid }) => ph === 'X' && name.endsWith('RunTask') && mains.has(`${pid} ${tid}`)), ({ pid }) => pid);
  const time = (each: readonly TraceEvent[]): number => each.reduce((sum, { tdur = 0 }) => sum + tdur, 0);
  return [...tasks.values()].toSorted((a, b) => time(b) - time(a))[0] ?? [];
}
