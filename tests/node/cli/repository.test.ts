/** A publisher's verbs: status, keys, root keys that are elsewhere. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { World, type Document } from './world.ts';

describe('a repository of one\'s own from the command line', { timeout: 600_000 }, () => {
  const world = new World();
  const offline = join(world.directory, 'offline');
  const draft = join(world.directory, 'root.json');

  before(async () => {
    assert.equal((await world.json('repo', 'init', world.repository, '--name', 'tiny', '--dry-run'))['fingerprint'], null);
    await world.text('repo', 'init', world.repository, '--name', 'tiny');
  });
  after(() => world.remove());

  test('publish says what it did, and a dry run what it would', async () => {
    const hello = world.package('hello', '1.0');
    assert.deepEqual((await world.json('publish', world.repository, hello, '--dry-run'))['inputs'], [hello]);
    const { revision, packages, changed } = await world.json('publish', world.repository, hello);
    assert.deepEqual([revision, packages, changed], [1, 1, true]);
    assert.equal((await world.json('publish', world.repository, hello))['changed'], false);
    assert.equal((await world.moss(['publish', world.repository])).status, 2);
    assert.equal((await world.json('publish', join(world.directory, 'nowhere'), hello))['code'], 'not-found');
  });

  test('status and refresh tell versions and expiries', async () => {
    const old = await world.json('repo', 'status', world.repository);
    assert.equal(old['name'], 'tiny');
    assert.match(await world.text('repo', 'status', world.repository), /^timestamp +version 1 +good until/m);
    assert.equal((await world.json('repo', 'refresh', world.repository, '--dry-run'))['dryRun'], true);
    const renewed = await world.json('repo', 'refresh', world.repository);
    assert.equal(timestampVersion(renewed), timestampVersion(old) + 1);
  });

  test('keys are listed, rotated, added and revoked', async () => {
    const keys = async (): Promise<{ keyId: string; roles: string[]; file: string | null }[]> =>
      (await world.json('repo', 'key', 'list', world.repository))['keys'] as { keyId: string; roles: string[]; file: string | null }[];
    const old = (await keys()).find(({ roles }) => roles.includes('timestamp'))?.keyId;
    assert.equal((await world.json('repo', 'key', 'rotate', world.repository, 'timestamp', '--dry-run'))['dryRun'], true);
    assert.equal((await world.json('repo', 'key', 'rotate', world.repository, 'timestamp'))['version'], 2);
    const now = (await keys()).find(({ roles }) => roles.includes('timestamp'))?.keyId;
    assert.notEqual(now, old);
    assert.equal((await world.json('repo', 'key', 'add', world.repository, 'snapshot'))['published'], true);
    const [first = ''] = (await keys()).filter(({ roles }) => roles.includes('snapshot')).map(({ keyId }) => keyId);
    assert.equal((await world.json('repo', 'key', 'revoke', world.repository, 'snapshot', first.slice(0, 8)))['published'], true);
    assert.equal((await world.json('repo', 'key', 'rotate', world.repository, 'nosuch'))['code'], 'usage');
    assert.match(await world.text('repo', 'key', 'list', world.repository), /keys\/root-/);
  });

  test('a root key may live elsewhere: made, given a role, signed with, and brought back', async () => {
    const made = await world.json('repo', 'key', 'create', offline);
    assert.equal((await world.json('repo', 'key', 'create', offline, '--dry-run'))['file'], null);
    assert.equal(readdirSync(offline).length, 1);
    // A new root is signed by the old keys and by the new ones: one signature is missing as soon as two are asked for.
    assert.equal((await world.json('repo', 'key', 'add', world.repository, 'root', '--public', String(made['public'])))['published'], true);
    const waits = await world.json('repo', 'key', 'threshold', world.repository, 'root', '2');
    assert.deepEqual([waits['published'], waits['missing']], [false, 1]);
    assert.match(await world.text('repo', 'status', world.repository), /waits for signatures/);
    await world.json('repo', 'key', 'export', world.repository, draft);
    assert.equal((await world.json('repo', 'key', 'sign', draft, offline, '--dry-run'))['added'], 1);
    assert.equal((await world.json('repo', 'key', 'sign', draft, offline))['added'], 1);
    assert.equal((await world.json('repo', 'key', 'import', world.repository, draft))['published'], true);
    const roles = (await world.json('repo', 'status', world.repository))['roles'] as { role: string; threshold: number }[];
    assert.equal(roles.find(({ role }) => role === 'root')?.threshold, 2);
  });

  test('a passphrase protects the keys', async () => {
    const secret = join(world.directory, 'secret');
    const environment = { MOSS_PASSPHRASE: 'correct horse' };
    assert.equal((await world.moss(['repo', 'init', secret, '--name', 'secret'], { environment })).status, 0);
    const { stdout, status } = await world.moss(['--json', 'publish', secret, world.package('hello', '1.0')]);
    assert.equal(status, 1);
    assert.equal((JSON.parse(stdout) as Document)['code'], 'bad-passphrase');
    assert.equal((await world.moss(['publish', secret, world.package('hello', '1.0')], { environment })).status, 0);
  });
});

function timestampVersion(document: Document): number {
  return (document['roles'] as { role: string; version: number }[]).find(({ role }) => role === 'timestamp')?.version ?? 0;
}
