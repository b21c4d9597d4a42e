/** Installing and all that comes after it, in the order of a life: each test goes on where the one before it ended. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { World } from './world.ts';

describe('installing from the command line', { timeout: 600_000 }, () => {
  const world = new World();
  let url = '';

  before(async () => {
    await world.text('repo', 'init', world.repository, '--name', 'tiny');
    await world.text('publish', world.repository, world.package('hello', '1.0', { depends: ['libgreet'] }), world.package('libgreet', '1.0'), world.package('other', '1.0'));
    ({ url } = await world.serve(world.repository));
  });
  after(() => world.remove());

  test('an empty root says what to do', async () => {
    const list = await world.moss(['list']);
    assert.equal(list.status, 0);
    assert.equal(list.stdout, '');
    assert.match(list.stderr, /moss install/);
    const install = await world.moss(['install', 'hello']);
    assert.equal(install.status, 1);
    assert.match(install.stderr, /moss repo add/);
    assert.equal(world.exists('.moss'), false, 'a failure makes no root');
  });

  test('a repository is not added while nobody compared its fingerprint', async () => {
    const document = await world.json('repo', 'add', 'tiny', url);
    assert.equal(document.schema, 'moss.error/1');
    assert.equal(document['code'], 'declined');
    const { stderr, status } = await world.moss(['repo', 'add', 'tiny', url]);
    assert.equal(status, 1);
    assert.match(stderr, /([0-9a-f]{4} ){15}[0-9a-f]{4}/);
  });

  test('a repository is added by its fingerprint', async () => {
    const { fingerprint } = await world.json('repo', 'status', world.repository);
    assert.equal((await world.json('repo', 'add', 'tiny', url, '--fingerprint', '0'.repeat(64)))['code'], 'wrong-fingerprint');
    assert.equal((await world.json('--dry-run', 'ar', 'tiny', url, '--fingerprint', String(fingerprint)))['dryRun'], true);
    const added = await world.json('repo', 'add', 'tiny', url, '--fingerprint', String(fingerprint));
    assert.equal(added['packages'], 3);
    const listed = (await world.json('lr'))['repositories'];
    assert.ok(Array.isArray(listed) && listed.length === 1);
    assert.match(await world.text('repo', 'list'), /^tiny/);
    assert.equal((await world.json('ur'))['schema'], 'moss.repo-update/1');
  });

  test('packages are found by name and summary, and described', async () => {
    assert.match(await world.text('search', 'GREET'), /^libgreet +1\.0 +The libgreet program/m);
    const found = (await world.json('sr', 'program'))['packages'];
    assert.ok(Array.isArray(found) && found.length === 3);
    assert.equal((await world.moss(['search', 'nosuchthing'])).stdout, '');
    assert.match(await world.text('info', 'hello'), /needs +libgreet/);
    const { code, hint } = await world.json('info', 'helo');
    assert.equal(code, 'not-found');
    assert.match(String(hint), /hello/);
    assert.match(await world.text('la'), /^other +1\.0/m);
  });

  test('a dry run changes nothing', async () => {
    const document = await world.json('install', 'hello', '--dry-run');
    assert.equal(document['dryRun'], true);
    assert.equal(world.exists('.moss/current'), false);
    assert.deepEqual(readdirSync(join(world.root, '.moss/states')), []);
    assert.match(await world.text('--dry-run', 'it', 'hello'), /Nothing was changed/);
  });

  test('install says what it will do on stderr, and what it did on stdout', async () => {
    const { status, stdout, stderr } = await world.moss(['install', 'hello']);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^State 1 is active: 2 packages/);
    assert.match(stderr, /to fetch, \d+ new files?, .* on disk/);
    assert.match(stderr, /^Fetched .* from 127\.0\.0\.1/m);
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(stderr + stdout, /\u001B/, 'nothing for terminals where there is none');
    assert.equal(world.read('usr/bin/hello'), '#!/bin/sh\necho hello 1.0\n');
  });

  test('explicit packages are told apart from those that are needed', async () => {
    const names = async (...args: string[]): Promise<unknown> => ((await world.json(...args))['packages'] as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(await names('li'), ['hello', 'libgreet']);
    assert.deepEqual(await names('list', '--explicit'), ['hello']);
    assert.deepEqual(await names('list', 'explicit'), ['hello']);
    assert.equal((await world.moss(['list', '--explicit', '--available'])).status, 2);
  });

  test('files and their owners are known, under every name of a path', async () => {
    assert.match(await world.text('files', 'hello'), /^\/usr\/bin\/hello$/m);
    assert.equal((await world.json('files', 'hello'))['version'], '1.0');
    for (const path of ['/usr/bin/hello', '/bin/hello', 'usr/bin/hello', join(world.root, 'usr/bin/hello'), join(world.root, 'bin/hello'), join(world.root, '.moss/states/1/usr/bin/hello')]) {
      assert.match(await world.text('sf', path), /^hello +1\.0 +\/usr\/bin\/hello$/m, path);
    }
    assert.equal((await world.json('owner', '/etc/hello.conf', '/usr/bin'))['schema'], 'moss.owner/1');
    assert.equal((await world.json('owner', '/nowhere'))['code'], 'not-found');
  });

  test('sync brings what is new, and only that', async () => {
    await world.text('publish', world.repository, world.package('hello', '2.0', { depends: ['libgreet'] }));
    assert.equal((await world.json('sync', '--no-update'))['state'], undefined);
    const planned = await world.json('sync', '--dry-run');
    assert.deepEqual(planned['upgrade'], [{ name: 'hello', from: '1.0', to: '2.0' }]);
    assert.deepEqual((await world.json('ls'))['what'], 'sync');
    writeFileSync(join(world.root, 'etc/hello.conf'), 'mine\n');
    const done = await world.json('up', 'hello');
    assert.equal(done['state'], 2);
    assert.deepEqual(done['beside'], ['etc/hello.conf']);
    assert.equal(world.read('usr/bin/hello'), '#!/bin/sh\necho hello 2.0\n');
    assert.equal(world.read('etc/hello.conf'), 'mine\n');
  });

  test('one goes back to a state, and forward again', async () => {
    assert.deepEqual((await world.json('state', 'diff', '1'))['changed'], [{ name: 'hello', from: '1.0', to: '2.0' }]);
    assert.equal((await world.json('state', 'activate', '1', '--dry-run'))['dryRun'], true);
    assert.equal(world.read('usr/bin/hello'), '#!/bin/sh\necho hello 2.0\n');
    assert.equal((await world.json('state', 'activate', '1'))['before'], 2);
    assert.equal(world.read('usr/bin/hello'), '#!/bin/sh\necho hello 1.0\n');
    assert.match(await world.text('state', 'activate', '2'), /^State 2 is active/);
    assert.equal(((await world.json('state', 'list'))['states'] as unknown[]).length, 2);
    assert.equal((await world.json('state', 'activate', '9'))['code'], 'not-found');
    assert.equal((await world.moss(['state', 'activate', 'x'])).status, 2);
  });

  test('verify finds what was broken, and repair mends it', async () => {
    assert.match(await world.text('verify'), /^Whole/);
    const victim = join(world.root, 'usr/bin/hello');
    chmodSync(victim, 0o755);
    writeFileSync(victim, 'broken');
    const found = await world.moss(['verify']);
    assert.equal(found.status, 1);
    assert.match(found.stdout, /\/usr\/bin\/hello/);
    assert.equal(((await world.json('verify', 'libgreet'))['findings'] as unknown[]).length, 0);
    assert.equal((await world.json('verify', '--repair', '--dry-run'))['repaired'], null);
    const repaired = (await world.json('verify', '--repair'))['repaired'] as { entries: number };
    assert.equal(repaired.entries, 1);
    assert.equal(readFileSync(victim, 'utf8'), '#!/bin/sh\necho hello 2.0\n');
    assert.equal((await world.json('state', 'verify', '1', '--quick'))['quick'], true);
    assert.equal((await world.json('verify', 'nosuch'))['code'], 'not-found');
  });

  test('remove takes along what nothing needs any more, and says which', async () => {
    assert.equal((await world.json('rm', 'helo'))['code'], 'not-found');
    assert.deepEqual((await world.json('remove', 'hello', '--keep-orphans', '--dry-run'))['orphans'], []);
    const { stdout, stderr } = await world.moss(['remove', 'hello']);
    assert.match(stderr, /nothing needs them any more[^]*libgreet/);
    assert.match(stdout, /State 3 is active: 0 packages/);
    assert.equal(world.exists('usr/bin/hello'), false);
  });

  test('states are pruned, never the active one, and what only they needed goes', async () => {
    await world.text('install', 'other');
    assert.equal((await world.json('state', 'remove', '4'))['code'], 'usage');
    const full = (await world.json('cache'))['total'] as { bytes: number };
    const planned = await world.json('state', 'prune', '--keep', '1', '--dry-run');
    assert.deepEqual(planned['states'], [1, 2, 3]);
    const { freed } = (await world.json('state', 'prune', '-k', '1')) as unknown as { freed: { bytes: number } };
    assert.deepEqual(freed, planned['freed']);
    const left = (await world.json('cache', 'show'))['total'] as { bytes: number };
    assert.ok(left.bytes < full.bytes && left.bytes >= full.bytes - freed.bytes);
    assert.equal(((await world.json('state', 'list'))['states'] as unknown[]).length, 1);
    assert.match(await world.text('verify'), /^Whole/);
    assert.equal((await world.moss(['state', 'prune', '--keep', '0'])).status, 2);
  });

  test('cache prune frees what no state needs', async () => {
    writeFileSync(join(world.root, '.moss/staging/leftover'), 'x'.repeat(1000));
    assert.equal(((await world.json('cache', 'prune', '--dry-run'))['staging'] as { files: number }).files, 1);
    assert.match(await world.text('cache', 'prune'), /^Freed/);
    assert.match(await world.text('cache', 'prune'), /Nothing/);
  });

  test('settings are kept in the root, or for the user', async () => {
    assert.equal((await world.json('config', 'set', 'without', 'doc,man'))['file'], join(world.root, '.moss/config.toml'));
    assert.equal(await world.text('config', 'get', 'without'), 'doc,man\n');
    await world.text('config', 'set', '--user', 'connections', '4');
    const settings = (await world.json('config'))['settings'] as { name: string; origin: string }[];
    assert.deepEqual(settings.filter(({ origin }) => origin !== 'default').map(({ name, origin }) => [name, origin]), [['without', 'root'], ['connections', 'user']]);
    assert.equal((await world.json('config', 'set', 'connections', 'many'))['code'], 'usage');
    assert.equal((await world.json('config', 'set', 'without', 'doc,main'))['code'], 'usage');
    assert.equal((await world.json('config', 'set', 'nosuch', '1'))['code'], 'usage');
    assert.equal((await world.json('config', 'set', 'timeout', '9', '--dry-run'))['file'], null);
    assert.equal((await world.json('config', 'get', 'timeout'))['value'], 15);
    assert.deepEqual((await world.json('config', 'unset', 'without'))['value'], []);
  });

  test('components are left out, and brought back', async () => {
    await world.text('install', 'hello', '--without', 'doc');
    assert.equal(world.exists('usr/share/doc/hello/README'), false);
    await world.text('install', 'hello', '--with', 'doc');
    assert.equal(world.exists('usr/share/doc/hello/README'), true);
  });

  test('a site that is gone is exit 69 or 75, and the state stays', async () => {
    const second = await world.serve(world.repository);
    const elsewhere = join(world.directory, 'root2');
    await world.text('-D', elsewhere, 'repo', 'add', 'tiny', second.url, '--yes');
    second.child.kill('SIGTERM');
    const { status } = await world.moss(['-D', elsewhere, 'config', 'set', 'timeout', '1']);
    assert.equal(status, 0);
    const failed = await world.moss(['-D', elsewhere, 'sync']);
    assert.ok(failed.status === 69 || failed.status === 75, failed.stderr);
    rmSync(elsewhere, { recursive: true });
  });

  test('removing a repository tells what stays', async () => {
    assert.equal((await world.json('repo', 'remove', 'tiny', '--dry-run'))['dryRun'], true);
    assert.deepEqual(((await world.json('rr', 'tiny'))['packages'] as string[]).includes('other'), true);
    assert.equal((await world.json('repo', 'remove', 'tiny'))['code'], 'not-found');
    assert.equal((await world.json('repo', 'update'))['code'], 'not-found');
    assert.match(await world.text('info', 'hello'), /installed/);
  });
});
