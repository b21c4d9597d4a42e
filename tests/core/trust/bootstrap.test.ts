import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { findRoot, initTrust } from '../../../core/trust/bootstrap.ts';
import { refreshMetadata, refreshTrust } from '../../../core/trust/client.ts';
import { formatFingerprint, parseFingerprint } from '../../../core/trust/fingerprint.ts';
import { loadMetadata, loadTrust } from '../../../core/trust/load.ts';
import { matchesPath } from '../../../core/trust/path-pattern.ts';
import { makeWorld, outcomeOf } from './scenario.ts';
import { DAY } from './simulator.ts';

void suite('adding a repository', () => {
  void test('the newest root is offered, and its fingerprint stays until the root keys change', async () => {
    const { sim, deps } = makeWorld();
    const first = await findRoot(deps);
    sim.rotate('timestamp');
    sim.publish('root');
    const second = await findRoot(deps);
    assert.equal(second.version, 2);
    assert.equal(second.fingerprint, first.fingerprint);
    const [old] = sim.signers.get('root') ?? [];
    const next = sim.newKey();
    if (old !== undefined) sim.setKeys('root', [next], 1, [old, next]);
    sim.publish('root');
    const third = await findRoot(deps);
    assert.notEqual(third.fingerprint, first.fingerprint);
    assert.equal((await findRoot(deps, { fingerprint: first.fingerprint })).version, 2);
    assert.equal((await findRoot(deps, { fingerprint: third.fingerprint })).version, 3);
    assert.equal(await outcomeOf(() => findRoot(deps, { fingerprint: 'ab'.repeat(32) })), 'wrong-fingerprint');
  });

  void test('a fingerprint is read as people write it', () => {
    const digits = '0123456789abcdef'.repeat(4);
    assert.equal(formatFingerprint(digits).slice(0, 14), '0123 4567 89ab');
    assert.equal(parseFingerprint(formatFingerprint(digits).toUpperCase().replaceAll(' ', ':')), digits);
    assert.throws(() => parseFingerprint('0123'), (error: { code: string }) => error.code === 'usage');
  });

  void test('a first root must sign itself', async () => {
    const { sim, deps } = makeWorld();
    sim.tamper('1.root.json', ({ signatures }) => signatures.splice(0));
    assert.equal(await outcomeOf(() => findRoot(deps)), 'bad-signature');
    assert.equal(await outcomeOf(() => initTrust(deps, sim.rootFile)), 'bad-signature');
    assert.equal(deps.store.files.size, 0);
  });

  void test('without a first root nothing is fetched', async () => {
    const { sim, deps } = makeWorld();
    assert.equal(await outcomeOf(() => refreshMetadata(deps)), 'not-found');
    assert.deepEqual(sim.asked, []);
  });

  void test('adding anew forgets what was seen', async () => {
    const { sim, deps } = makeWorld();
    sim.publish('timestamp');
    await initTrust(deps, sim.rootFile);
    await refreshMetadata(deps);
    const other = makeWorld();
    const { root, timestamp } = other.sim;
    assert.equal(root.version + timestamp.version, 2);
    await initTrust(deps, other.sim.rootFile);
    const metadata = await refreshMetadata({ ...deps, fetcher: other.deps.fetcher });
    assert.equal(metadata.timestamp.signed.version, 1);
  });
});

void suite('the view without a network', () => {
  void test('is what the last refresh left', async () => {
    const { sim, deps } = makeWorld();
    sim.addTarget('targets', 'repository', 'root block');
    sim.publish('targets', 'snapshot', 'timestamp');
    await initTrust(deps, sim.rootFile);
    assert.equal(await outcomeOf(() => loadTrust(deps)), 'not-found');
    const refreshed = await refreshTrust(deps);
    const loaded = await loadTrust(deps);
    assert.equal(loaded.rootCid.toString(), refreshed.rootCid.toString());
    assert.deepEqual(loaded.versions, refreshed.versions);
    assert.equal(loaded.rootSize, 'root block'.length);
  });

  void test('is checked as strictly', async () => {
    const { sim, deps } = makeWorld();
    await initTrust(deps, sim.rootFile);
    await refreshMetadata(deps);
    const late = { ...deps, clock: { ...deps.clock, now: () => deps.clock.now() + 31 * DAY } };
    assert.equal(await outcomeOf(() => loadMetadata(late)), 'metadata-expired');
    assert.equal(await outcomeOf(() => loadMetadata(late, { allowExpired: true })), 'ok');
    const early = { ...deps, clock: { ...deps.clock, now: () => deps.clock.now() - 31 * DAY } };
    assert.equal(await outcomeOf(() => loadMetadata(early)), 'clock-suspect');
    assert.equal(await outcomeOf(() => loadMetadata(early, { acceptClock: true })), 'ok');
    assert.equal(await outcomeOf(() => refreshMetadata(early)), 'clock-suspect');
    assert.equal(await outcomeOf(() => refreshMetadata(early, { acceptClock: true })), 'ok');
    const targets = deps.store.files.get('targets.json') ?? new Uint8Array(0);
    deps.store.files.set('targets.json', Buffer.from(Buffer.from(targets).toString().replace('2030', '2031')));
    assert.equal(await outcomeOf(() => loadMetadata(deps)), 'bad-signature');
    assert.equal(await outcomeOf(() => loadTrust(deps)), 'bad-signature');
  });

  void test('of another kind of repository is no view of moss', async () => {
    const { sim, deps } = makeWorld();
    await initTrust(deps, sim.rootFile);
    assert.equal(await outcomeOf(() => refreshTrust(deps)), 'bad-metadata');
  });

  void test('a refresh that is stopped says so and stores nothing', async () => {
    const { sim, deps } = makeWorld();
    await initTrust(deps, sim.rootFile);
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    await assert.rejects(refreshMetadata(deps, { signal: stop.signal }), /stopped/);
    assert.deepEqual(sim.asked, []);
  });
});

void suite('path patterns', () => {
  const cases: readonly [pattern: string, path: string, matches: boolean][] = [
    ['targets/*.tgz', 'targets/foo.tgz', true],
    ['targets/*.tgz', 'targets/foo.txt', false],
    ['*.tgz', 'targets/foo.tgz', false],
    ['foo-version-?.tgz', 'foo-version-2.tgz', true],
    ['foo-version-?.tgz', 'foo-version-alpha.tgz', false],
    ['foo.tgz', 'foo.tgz', true],
    ['*', '', true],
    ['?', '', false],
    ['a*b*c', 'axxbxxbxc', true],
    ['a*b*c', 'axxbxxbx', false],
    ['[a]', 'a', false],
    ['.*', 'x', false],
    ['*', '.hidden', true],
  ];
  for (const [pattern, path, matches] of cases) {
    void test(`${pattern} and ${path}: ${matches}`, () => assert.equal(matchesPath(pattern, path), matches));
  }

  void test('take no time without end', () => {
    assert.equal(matchesPath(`${'*a'.repeat(5000)}b`, 'a'.repeat(10_000)), false);
  });
});
