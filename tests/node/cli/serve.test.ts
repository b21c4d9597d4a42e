import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ended, World } from './world.ts';

describe('serving from the command line', { timeout: 600_000 }, () => {
  const world = new World();
  before(() => world.text('repo', 'init', world.repository, '--name', 'tiny'));
  after(() => world.remove());

  test('of a repository only the site is served, and Ctrl-C ends it well', async () => {
    const { url, child, log } = await world.serve(world.repository);
    assert.equal((await fetch(`${url}/metadata/1.root.json`)).status, 200);
    assert.equal((await fetch(`${url}/keys/`)).status, 404);
    child.kill('SIGINT');
    assert.equal(await ended(child), 0);
    assert.match(log(), /^127\.0\.0\.1 {2}2 requests .*1 not found/m);
  });

  test('with --verbose each request is a line, with --json a JSON line', async () => {
    for (const [option, form] of [['--verbose', /^127\.0\.0\.1 {2}200 {2}GET \/moss\.json /m], ['--json', /"type":"served".*"path":"\/moss\.json","status":200/]] as const) {
      const { url, child, log } = await world.serve(join(world.repository, 'site'), option);
      await (await fetch(`${url}/moss.json`)).text();
      child.kill('SIGTERM');
      assert.equal(await ended(child), 0);
      assert.match(log(), form);
    }
  });

  test('what is no repository is not served', async () => {
    mkdirSync(join(world.directory, 'empty'));
    assert.equal((await world.json('serve', 'empty'))['code'], 'not-found');
    assert.equal((await world.json('serve', world.repository, '--port', 'x'))['code'], 'usage');
    assert.equal((await world.json('serve', world.repository, '--port', '99999'))['code'], 'usage');
    assert.equal((await world.json('serve', world.repository, '--dry-run'))['url'], null);
  });
});
