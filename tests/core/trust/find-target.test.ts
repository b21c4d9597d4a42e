import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { initTrust } from '../../../core/trust/bootstrap.ts';
import { refreshMetadata } from '../../../core/trust/client.ts';
import { findTarget, targetNames } from '../../../core/trust/find-target.ts';
import { BENT_ROLES, SEARCHES, runBentRole, runSearch } from './delegations.ts';
import { makeWorld, outcomeOf } from './scenario.ts';

const client = { initTrust, refreshMetadata, findTarget };

void suite('the search for a target', () => {
  for (const search of SEARCHES) void test(search.name, () => runSearch(client, search));
  for (const role of BENT_ROLES) void test(`a delegated role ${role.name}`, () => runBentRole(client, role));

  void test('a role that one delegator vouched for is checked again for the next', async () => {
    const { sim, deps } = makeWorld();
    sim.delegate('targets', 'parent-a', { paths: ['a/*'] });
    sim.delegate('targets', 'parent-b', { paths: ['b/*'] });
    sim.delegate('parent-a', 'release', { paths: ['a/*'] });
    const signedForA = sim.signers.get('release') ?? [];
    sim.delegate('parent-b', 'release', { paths: ['b/*'] });
    sim.signers.set('release', signedForA);
    sim.addTarget('release', 'a/file', 'good');
    sim.addTarget('release', 'b/file', 'bad');
    sim.publish('release', 'parent-a', 'parent-b', 'targets', 'snapshot', 'timestamp');
    await initTrust(deps, sim.rootFile);
    const metadata = await refreshMetadata(deps);
    assert.equal((await findTarget(deps, metadata, 'a/file'))?.role, 'release');
    assert.equal(await outcomeOf(() => findTarget(deps, metadata, 'b/file')), 'bad-signature');
  });

  void test('it visits no more than 33 roles', async () => {
    const { sim, deps } = makeWorld();
    const names = Array.from({ length: 40 }, (_, at) => `role-${at}`);
    for (const name of names) sim.delegate('targets', name);
    sim.publish(...names, 'targets', 'snapshot', 'timestamp');
    await initTrust(deps, sim.rootFile);
    const metadata = await refreshMetadata(deps);
    sim.asked.length = 0;
    assert.equal(await findTarget(deps, metadata, 'missing'), undefined);
    assert.equal(sim.asked.length, 32);
  });

  void test('a role cannot take the name of a top-level one', async () => {
    const { sim, deps } = makeWorld();
    sim.delegate('targets', 'A');
    for (const role of sim.targetsOf().delegations?.roles ?? []) role.name = 'snapshot';
    sim.publish('targets', 'snapshot', 'timestamp');
    await initTrust(deps, sim.rootFile);
    assert.equal(await outcomeOf(() => refreshMetadata(deps)), 'bad-metadata');
  });

  void test('names of roles are escaped in the names of files', async () => {
    const { sim, deps } = makeWorld();
    sim.delegate('targets', '../A?#');
    sim.publish('../A?#', 'targets', 'snapshot', 'timestamp');
    await initTrust(deps, sim.rootFile);
    await findTarget(deps, await refreshMetadata(deps), 'missing');
    assert.equal(sim.asked.at(-1), '1...%2FA%3F%23.json');
    assert.ok([...deps.store.files.keys()].every((name) => !name.includes('/')));
  });
});

void test('names of targets carry their hash in a consistent snapshot', () => {
  const target = { path: 'a/b.txt', hashes: new Map([['sha256', 'ff'], ['sha512', 'ee']]) };
  assert.deepEqual(targetNames(target, true), ['a/ff.b.txt', 'a/ee.b.txt']);
  assert.deepEqual(targetNames(target, false), ['a/b.txt']);
});
