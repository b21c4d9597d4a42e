import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ended, World } from './world.ts';

describe('a command that is interrupted', { timeout: 600_000 }, () => {
  const world = new World();
  let hangs = false;
  let server: Server;
  let asked: (() => void) | undefined;

  before(async () => {
    await world.text('repo', 'init', world.repository, '--name', 'tiny');
    await world.text('publish', world.repository, world.package('hello', '1.0'), world.package('other', '1.0'));
    // A site whose blocks never come once it hangs.
    server = createServer((request, response) => {
      const file = join(world.repository, 'site', request.url ?? '');
      if (hangs && request.url?.startsWith('/blocks/') === true) asked?.();
      else if (existsSync(file)) response.end(readFileSync(file));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    await world.text('repo', 'add', 'tiny', `http://127.0.0.1:${address.port}`, '--yes');
    await world.text('install', 'other');
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    world.remove();
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal} ends an install with 130, and the old state is whole`, async () => {
      hangs = true;
      const request = new Promise<void>((resolve) => (asked = resolve));
      const child = world.start(['install', 'hello', '--json']);
      let stdout = '';
      child.stdout?.on('data', (piece: Buffer) => (stdout += piece.toString()));
      await request;
      child.kill(signal);
      assert.equal(await ended(child), 130);
      assert.equal((JSON.parse(stdout) as { code: string }).code, 'aborted');
      assert.equal(((await world.json('list'))['packages'] as unknown[]).length, 1);
      assert.match(await world.text('verify'), /^Whole/);
    });
  }

  test('the next run does what was left', async () => {
    hangs = false;
    assert.match(await world.text('install', 'hello'), /^State 2 is active/);
  });
});
