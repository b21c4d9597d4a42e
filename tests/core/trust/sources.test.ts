import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { webMetadataFetcher } from '../../../core/exchange/metadata-fetcher.ts';
import type { Fetch } from '../../../core/ports/fetch.ts';
import { initTrust } from '../../../core/trust/bootstrap.ts';
import { refreshMetadata } from '../../../core/trust/client.ts';
import { LIMITS } from '../../../core/trust/download.ts';
import { refreshTrustFrom } from '../../../core/trust/refresh-from.ts';
import { nodeClock } from '../../../node/clock.ts';
import { makeWorld, outcomeOf } from './scenario.ts';
import { DAY, Simulator } from './simulator.ts';

/** A web server that never stops sending, and counts how many bytes were taken. */
function endlessServer(): { fetch: Fetch; taken: () => number } {
  let taken = 0;
  const read = (): Promise<{ done: boolean; value: Uint8Array }> => {
    taken += 1000;
    return Promise.resolve({ done: false, value: new Uint8Array(1000) });
  };
  const body = { getReader: () => ({ read, cancel: () => Promise.resolve() }) };
  return { fetch: () => Promise.resolve({ status: 200, headers: { get: () => null }, body }), taken: () => taken };
}

void test('a web server that never stops sending is left at the limit', async () => {
  const { sim, deps } = makeWorld();
  await initTrust(deps, sim.rootFile);
  const { fetch, taken } = endlessServer();
  const fetcher = webMetadataFetcher({ fetch, clock: nodeClock, url: 'https://example.org/' });
  assert.equal(await outcomeOf(() => refreshMetadata({ ...deps, fetcher })), 'metadata-endless');
  assert.ok(taken() <= LIMITS.root + 1000);
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
