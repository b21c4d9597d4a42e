import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Fetch } from '../../../core/ports/fetch.ts';
import { initTrust } from '../../../core/trust/bootstrap.ts';
import { httpMetadataFetcher } from '../../../core/trust/http-fetcher.ts';
import { refreshTrustFrom } from '../../../core/trust/refresh-from.ts';
import { makeWorld, outcomeOf } from './scenario.ts';
import { DAY, Simulator } from './simulator.ts';

/** A web server that answers with a status and pieces, and counts how many were taken. */
function server(status: number, pieces: readonly number[]): { fetch: Fetch; taken: () => number; cancelled: () => boolean; urls: string[] } {
  let taken = 0;
  let cancelled = false;
  const urls: string[] = [];
  const read = (): Promise<{ done: boolean; value?: Uint8Array }> => {
    const size = pieces[taken];
    taken += 1;
    return Promise.resolve(size === undefined ? { done: true } : { done: false, value: new Uint8Array(size).fill(taken) });
  };
  const cancel = (): Promise<void> => {
    cancelled = true;
    return Promise.resolve();
  };
  const fetch: Fetch = (url) => {
    urls.push(url);
    return Promise.resolve({ status, headers: { get: () => null }, body: { getReader: () => ({ read, cancel }) } });
  };
  return { fetch, taken: () => taken, cancelled: () => cancelled, urls };
}

void suite('metadata from a web directory', () => {
  void test('comes in pieces, from below the address', async () => {
    const { fetch, urls } = server(200, [2, 0, 1]);
    const bytes = await httpMetadataFetcher({ fetch, baseUrl: 'https://example.org/metadata' }).fetch('1.root.json', 100);
    assert.deepEqual(bytes, Uint8Array.of(1, 1, 3));
    assert.deepEqual(urls, ['https://example.org/metadata/1.root.json']);
  });

  void test('that has no end is left at the limit', async () => {
    const { fetch, taken, cancelled } = server(200, Array.from({ length: 1000 }, () => 10));
    const fetcher = httpMetadataFetcher({ fetch, baseUrl: 'https://example.org/' });
    assert.equal(await outcomeOf(() => fetcher.fetch('timestamp.json', 95)), 'metadata-endless');
    assert.equal(taken(), 10);
    assert.ok(cancelled());
  });

  void test('is absent, broken, or out of reach', async () => {
    for (const status of [403, 404, 410]) {
      assert.equal(await httpMetadataFetcher({ fetch: server(status, []).fetch, baseUrl: 'https://example.org/' }).fetch('x', 1), undefined);
    }
    for (const status of [204, 301, 500, 503]) {
      const fetcher = httpMetadataFetcher({ fetch: server(status, []).fetch, baseUrl: 'https://example.org/' });
      assert.equal(await outcomeOf(() => fetcher.fetch('x', 1)), 'source-failed');
    }
    const fetcher = httpMetadataFetcher({ fetch: () => Promise.reject(new TypeError('fetch failed')), baseUrl: 'https://example.org/' });
    assert.equal(await outcomeOf(() => fetcher.fetch('x', 1)), 'source-failed');
  });

  void test('stops with the reason of the caller', async () => {
    const stop = new AbortController();
    const fetch: Fetch = () => {
      stop.abort(new Error('enough'));
      return Promise.reject(new Error('aborted'));
    };
    await assert.rejects(httpMetadataFetcher({ fetch, baseUrl: 'https://example.org/' }).fetch('x', 1, { signal: stop.signal }), /enough/);
  });
});

void suite('metadata from several sources', () => {
  void test('a lying one and a dead one do not stop the good one', async () => {
    const { sim, deps } = makeWorld();
    sim.addTarget('targets', 'repository', 'root block');
    sim.publish('targets', 'snapshot', 'timestamp');
    await initTrust(deps, sim.rootFile);
    const liar = new Simulator().fetcher();
    const dead = { fetch: () => Promise.reject(new Error('not for a client to see')) };
    const missing = { fetch: () => Promise.resolve(undefined) };
    assert.equal((await refreshTrustFrom(deps, [missing, liar, sim.fetcher()])).versions.timestamp, 2);
    assert.equal(await outcomeOf(() => refreshTrustFrom(deps, [missing, liar])), 'metadata-missing');
    assert.equal(await outcomeOf(() => refreshTrustFrom(deps, [])), 'no-source');
    await assert.rejects(refreshTrustFrom(deps, [dead, sim.fetcher()]), /not for a client to see/);
  });

  void test('a wrong clock is nobody else’s fault', async () => {
    const { sim, deps } = makeWorld();
    sim.addTarget('targets', 'repository', 'root block');
    sim.publish('targets', 'snapshot', 'timestamp');
    await initTrust(deps, sim.rootFile);
    await refreshTrustFrom(deps, [sim.fetcher()]);
    sim.asked.length = 0;
    const early = { ...deps, clock: { ...deps.clock, now: () => deps.clock.now() - 9 * DAY } };
    assert.equal(await outcomeOf(() => refreshTrustFrom(early, [sim.fetcher(), sim.fetcher()])), 'clock-suspect');
    assert.deepEqual(sim.asked, []);
  });
});
