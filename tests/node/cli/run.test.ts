import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { ended, World } from './world.ts';

describe('running programs inside the root', { timeout: 600_000 }, () => {
  const world = new World();
  const tools: string[] = [];

  before(async () => {
    const shell = world.shellPackage();
    if (shell === undefined) return;
    await world.text('repo', 'init', world.repository, '--name', 'tiny');
    await world.text('publish', world.repository, shell, world.package('hello', '1.0'));
    await world.text('repo', 'add', 'tiny', join(world.repository, 'site'), '--yes');
    await world.text('install', 'shell', 'hello');
    for (const tool of ['unshare', 'bubblewrap', 'chroot']) if ((await world.moss(['run', '--tool', tool, 'hello'])).status === 0) tools.push(tool);
  });
  after(() => world.remove());

  const needTool = (context: TestContext): boolean => {
    if (tools.length === 0) context.skip('no program of this machine can enter a tree');
    return tools.length > 0;
  };

  test('output and exit status are those of the program', async (context) => {
    if (!needTool(context)) return;
    for (const tool of tools) {
      assert.equal(await world.text('run', '--tool', tool, '--', 'hello'), 'hello 1.0\n', tool);
      assert.equal((await world.moss(['run', '--tool', tool, 'sh', '-c', 'exit 7'])).status, 7, tool);
      assert.equal((await world.moss(['run', '--tool', tool, 'sh', '-c', 'read x; echo "got $x" >&2'], { input: 'words\n' })).stderr, 'got words\n', tool);
      assert.equal((await world.moss(['run', '--tool', tool, 'sh', '-c', 'kill -TERM $$'])).status, 143, tool);
    }
  });

  test('a signal to moss reaches the program', async (context) => {
    if (!needTool(context)) return;
    for (const tool of tools) {
      const child = world.start(['run', '--tool', tool, 'sh', '-c', 'trap "exit 5" TERM; echo up; while :; do read x; done']);
      assert.ok(child.stdout);
      await once(child.stdout, 'data');
      child.kill('SIGTERM');
      // `read` returns when its pipe ends, and the shell then does what it was told.
      child.stdin?.end();
      assert.equal(await ended(child), 5, tool);
    }
  });

  test('the system cannot be written to from inside, the root\'s own directories can', async (context) => {
    if (!needTool(context)) return;
    mkdirSync(join(world.root, 'srv'), { recursive: true });
    for (const tool of tools.filter((each) => each !== 'chroot')) {
      assert.notEqual((await world.moss(['run', '--tool', tool, 'sh', '-c', 'echo x > /usr/bin/x'])).status, 0, tool);
      assert.equal((await world.moss(['run', '--tool', tool, 'sh', '-c', 'echo x > /srv/x && echo x > /dev/null && echo x > /tmp/x'])).status, 0, tool);
      assert.equal(world.read('srv/x'), 'x\n');
    }
    assert.match(await world.text('verify'), /^Whole/);
  });

  test('the working directory comes along when it is asked for', async (context) => {
    if (!needTool(context)) return;
    writeFileSync(join(world.directory, 'script'), '#!/bin/sh\necho here\n');
    chmodSync(join(world.directory, 'script'), 0o755);
    assert.equal(await world.text('run', '--here', './script'), 'here\n');
  });

  test('with --json there is a document, and the output is elsewhere', async (context) => {
    if (!needTool(context)) return;
    const { stdout, stderr } = await world.moss(['--json', 'run', 'hello']);
    assert.equal((JSON.parse(stdout) as { status: number }).status, 0);
    assert.equal(stderr, 'hello 1.0\n');
    assert.equal((await world.json('run', '--dry-run', 'hello'))['status'], null);
  });

  test('what is not there is told', async (context) => {
    if (!needTool(context)) return;
    assert.equal((await world.json('run', 'nosuch'))['code'], 'not-found');
    assert.equal((await world.json('run', '--state', '9', 'hello'))['code'], 'not-found');
    assert.equal((await world.json('run', '--tool', 'nosuch', 'hello'))['code'], 'usage');
    assert.equal((await world.json('-D', join(world.directory, 'empty'), 'run', 'hello'))['code'], 'not-found');
  });
});
