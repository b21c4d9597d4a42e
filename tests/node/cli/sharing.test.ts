/** Sharing from the command line: nothing without consent, a daemon that other commands see, and its end. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ended, World, type Document } from './world.ts';

interface Status {
  pid: number;
  peer: string;
  addresses: string[];
  packages: number;
}

function statusOf(document: Document, field = 'daemon'): Status | null {
  return document[field] as Status | null;
}

describe('sharing from the command line', { timeout: 600_000 }, () => {
  const world = new World();
  const control = join(world.root, '.moss/peer/control.sock');

  before(async () => {
    await world.text('repo', 'init', world.repository, '--name', 'tiny');
    await world.text('publish', world.repository, world.package('hello', '1.0'));
    await world.text('repo', 'add', 'tiny', join(world.repository, 'site'), '--yes');
    await world.text('install', 'hello', '--yes');
  });
  after(() => world.remove());

  test('is off until somebody agrees: no key, no peers, no daemon', async () => {
    const status = await world.json('share', 'status');
    assert.equal(status['scope'], 'off');
    assert.equal(status['daemon'], null);
    assert.equal((await world.json('daemon', '--foreground'))['code'], 'usage');
    assert.deepEqual((await world.json('peers'))['peers'], []);
    assert.equal(world.exists('.moss/peer/key.pem'), false);
  });

  test('is agreed to for a scope, after what it means was told', async () => {
    const { stderr, status } = await world.moss(['share', 'on', '--scope', 'lan', '--dry-run']);
    assert.equal(status, 0, stderr);
    assert.equal((await world.json('share', 'status'))['scope'], 'off');
    assert.equal((await world.json('share', 'on', '--scope', 'moon'))['code'], 'usage');
    const told = await world.moss(['share', 'on', '--scope', 'lan', '--yes']);
    assert.match(told.stderr, /can find out which packages it has/);
    assert.match(told.stdout, /moss daemon/);
    assert.equal((await world.json('config', 'get', 'share'))['value'], 'lan');
  });

  test('the daemon runs in the background, with one key and one port over restarts, and one at a time', async () => {
    const first = statusOf(await world.json('daemon'), 'status');
    assert.ok(first);
    assert.equal(first.packages, 1);
    assert.equal(statSync(control).mode & 0o777, 0o600);
    const shown = await world.json('share', 'status');
    assert.equal(statusOf(shown)?.pid, first.pid);
    assert.equal((await world.json('daemon'))['code'], 'locked');
    await world.json('daemon', '--stop');
    await gone(first.pid);
    const second = statusOf(await world.json('daemon'), 'status');
    assert.equal(second?.peer, first.peer);
    assert.deepEqual(second?.addresses.filter((address) => address.startsWith('/ip4/127')), first.addresses.filter((address) => address.startsWith('/ip4/127')));
  });

  test('switching sharing off ends it', async () => {
    const pid = statusOf(await world.json('share', 'status'))?.pid;
    assert.ok(pid);
    const off = await world.json('share', 'off');
    assert.equal(off['scope'], 'off');
    await gone(pid);
    assert.equal(statusOf(await world.json('share', 'status')), null);
  });

  test('in the foreground it ends well by Ctrl-C', async () => {
    await world.json('share', 'on', '--scope', 'lan');
    const child = world.start(['daemon', '--foreground', '--json']);
    const [line] = await new Promise<string[]>((resolve) => child.stdout?.on('data', (piece: Buffer) => resolve(piece.toString().split('\n'))));
    assert.equal((JSON.parse(line ?? '') as Document).schema, 'moss.daemon/1');
    child.kill('SIGINT');
    assert.equal(await ended(child), 0);
    assert.equal(world.exists('.moss/peer/control.sock'), false);
  });

  test('a unit for systemd is written and removed', async () => {
    const dry = await world.json('daemon', '--install-unit', '--dry-run');
    assert.throws(() => statSync(String(dry['path'])));
    const { path, unit, text } = await world.json('daemon', '--install-unit');
    assert.equal(readFileSync(String(path), 'utf8'), text);
    assert.match(String(text), /^ExecStart=".*" ".*moss\.js" "daemon" "--foreground" "--root" ".*"$/m);
    assert.match(String(unit), /^moss-[0-9a-f]{8}\.service$/);
    await world.json('daemon', '--remove-unit');
    assert.throws(() => statSync(String(path)));
  });

  test('what was fetched is counted', async () => {
    const { total, months } = await world.json('stats');
    assert.ok(Array.isArray(months));
    assert.deepEqual(Object.keys(total as object), ['received', 'sent']);
    assert.equal((await world.moss(['peers', '--all'])).status, 0);
  });
});

/** Waits until a process has ended. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}
