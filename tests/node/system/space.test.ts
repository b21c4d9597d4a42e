/** How much a root takes: what pruning frees, to the byte, and the bounds that the user sets. */
import assert from 'node:assert/strict';
import { linkSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { World, type Document } from '../cli/world.ts';

/** Bytes on disk of all below a directory, each inode once. */
function diskUsage(directory: string, seen = new Set<number>()): number {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat === undefined || seen.has(stat.ino)) return 0;
  seen.add(stat.ino);
  let bytes = stat.blocks * 512;
  if (stat.isDirectory()) for (const name of readdirSync(directory)) bytes += diskUsage(join(directory, name), seen);
  return bytes;
}

function largeFiles(version: number): Record<string, string> {
  return { 'usr/share/hello/data': `${version}\n`.repeat(50_000), 'usr/share/hello/same': 'same\n'.repeat(20_000) };
}

function freedBy(document: Document): number {
  return (document['freed'] as { bytes: number }).bytes;
}

describe('space', { timeout: 600_000 }, () => {
  const world = new World();
  const moss = (...path: string[]): string => join(world.root, '.moss', ...path);
  /** What pruning may change: not the database, whose file only grows. */
  const taken = (): number => {
    const seen = new Set<number>();
    const parts = ['store', 'symlinks', 'blocks', 'staging', 'quarantine', 'states'].map((part) => moss(part));
    return [...parts, join(world.directory, 'mine')].reduce((sum, part) => sum + diskUsage(part, seen), 0);
  };
  const states = async (): Promise<number[]> => ((await world.json('state', 'list'))['states'] as { number: number }[]).map(({ number }) => number);

  before(async () => {
    await world.text('repo', 'init', world.repository, '--name', 'tiny');
    for (let version = 1; version <= 6; version++) {
      const directory = world.package('hello', `${version}.0`, { files: largeFiles(version) });
      symlinkSync('hello', join(directory, 'usr/bin/hi'));
      symlinkSync(`hello.${version}`, join(directory, 'usr/bin/version'));
      await world.text('publish', world.repository, directory);
    }
    await world.text('repo', 'add', 'tiny', join(world.repository, 'site'), '--yes');
    for (let version = 1; version <= 4; version++) await world.text('install', `hello=${version}.0`, '--yes');
  });
  after(() => world.remove());

  test('what a pruning would free is what it frees, on the disk, to the byte', async () => {
    // Another name of a file that goes: its bytes stay.
    mkdirSync(join(world.directory, 'mine'));
    linkSync(join(world.root, '.moss/states/1/usr/share/hello/data'), join(world.directory, 'mine/data'));
    const used = taken();
    const planned = await world.json('state', 'remove', '1', '2', '--dry-run');
    assert.equal(taken(), used);
    const removed = await world.json('state', 'remove', '1', '2');
    assert.deepEqual(removed['freed'], planned['freed']);
    assert.equal(used - taken(), freedBy(removed));
    assert.deepEqual(await states(), [3, 4]);
    assert.equal((await world.moss(['verify'])).status, 0);
    assert.equal((await world.moss(['state', 'verify', '3'])).status, 0);
  });

  test('leftovers of interrupted runs and quarantined files are freed with what no state needs', async () => {
    writeFileSync(moss('staging/leftover'), 'x'.repeat(10_000));
    mkdirSync(moss('quarantine'), { recursive: true });
    writeFileSync(moss('quarantine/bad'), 'x'.repeat(10_000));
    const used = taken();
    const planned = await world.json('cache', 'prune', '--dry-run');
    const pruned = await world.json('cache', 'prune');
    assert.deepEqual(pruned['total'], planned['total']);
    assert.equal(used - taken(), (pruned['total'] as { bytes: number }).bytes);
    assert.ok(used - taken() >= 20_000);
    assert.match(await world.text('cache', 'prune'), /Nothing/);
  });

  test('pinned states stay, until they are unpinned', async () => {
    assert.deepEqual((await world.json('state', 'pin', '3'))['pinned'], [3]);
    assert.match(await world.text('state', 'list'), /^ +3 .*pinned/m);
    assert.equal((await world.json('state', 'remove', '3'))['code'], 'usage');
    assert.deepEqual((await world.json('state', 'prune', '--keep', '1'))['states'], []);
    assert.equal((await world.json('state', 'pin', '99'))['code'], 'not-found');
    assert.deepEqual((await world.json('state', 'unpin', '3', '--dry-run'))['pinned'], []);
    assert.equal((await world.json('state', 'remove', '3'))['code'], 'usage');
    await world.json('state', 'unpin', '3');
    assert.deepEqual((await world.json('state', 'prune', '--keep', '1', '--dry-run'))['states'], [3]);
  });

  test('keep-states bounds the states after every change; the one before and pinned ones stay', async () => {
    await world.text('config', 'set', 'keep-states', '1');
    await world.json('state', 'pin', '3');
    const installed = await world.json('install', 'hello=5.0', '--yes');
    assert.deepEqual((installed['pruned'] as { states: number[] }).states, []);
    assert.deepEqual(await states(), [3, 4, 5]);
    const { stdout } = await world.moss(['install', 'hello=6.0', '--yes']);
    assert.match(stdout, /Removed state 4, .*freed/);
    assert.deepEqual(await states(), [3, 5, 6]);
    assert.equal((await world.moss(['state', 'activate', '5'])).status, 0);
    await world.text('state', 'activate', '6');
    await world.text('config', 'unset', 'keep-states');
  });

  test('store-quota takes old states away, oldest first, and says so', async () => {
    await world.json('state', 'unpin', '3');
    await world.text('config', 'set', 'store-quota', String(diskUsage(moss()) + 150_000));
    const installed = await world.json('install', 'hello=1.0', '--yes');
    const { states: gone, freed } = installed['pruned'] as { states: number[]; freed: { bytes: number } };
    assert.deepEqual(gone, [3]);
    assert.ok(freed.bytes > 100_000);
    assert.deepEqual(await states(), [5, 6, 7]);
    assert.ok(diskUsage(moss()) <= Number((await world.json('config', 'get', 'store-quota'))['value']));
    assert.equal((await world.moss(['verify'])).status, 0);
  });

  test('what cannot fit is refused before anything is changed', async () => {
    await world.text('config', 'set', 'store-quota', '200kB');
    const shown = await world.json('cache', 'show');
    assert.equal(shown['quota'], 200_000);
    assert.equal(shown['used'], diskUsage(moss()));
    assert.match(await world.text('cache', 'show'), /of the 200 kB of store-quota[^]*more than allowed/);
    const used = diskUsage(moss('store'));
    const refused = await world.json('install', 'hello=2.0', '--yes');
    assert.equal(refused['code'], 'disk-full');
    assert.match(String(refused['hint']), /store-quota/);
    assert.match(String(refused['message']), /of the 200 kB of store-quota/);
    assert.equal(diskUsage(moss('store')), used);
    assert.deepEqual(await states(), [5, 6, 7]);
    await world.text('config', 'unset', 'store-quota');
  });

  test('making room takes nothing that the change itself needs: neither what was just fetched, nor what a state that goes has', async () => {
    // Neither is in a state that stays; the first of them leaves its files in the store.
    for (const version of ['6.0', '2.0']) {
      await world.json('install', 'hello=6.0');
      await world.json('install', 'hello=3.0');
      await world.json('install', 'hello=4.0');
      for (const number of (await states()).slice(0, -3)) await world.json('state', 'remove', String(number));
      await world.text('config', 'set', 'store-quota', String(diskUsage(moss()) + 20_000));
      const { pruned } = await world.json('install', `hello=${version}`);
      assert.notDeepEqual((pruned as { states: number[] }).states, [], version);
      assert.deepEqual((await world.json('verify'))['findings'], [], version);
      await world.text('config', 'unset', 'store-quota');
    }
  });
});
