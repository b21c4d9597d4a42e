import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { hasErrno } from '../../../node/io-error.ts';
import { linkFiles } from '../../../node/link/link-files.ts';

/** Beyond what ext4 (65,000) allows; other file systems allow more, and then there is nothing to see. */
const MANY = 66_000;

describe('linking files of the store', () => {
  const directory = mkdtempSync(join(tmpdir(), 'moss-link-'));
  const from = join(directory, 'stored');
  before(() => writeFileSync(from, 'content', { mode: 0o444 }));
  after(() => rmSync(directory, { recursive: true, force: true }));

  it('shares the inode by a hard link', () => {
    const to = join(directory, 'hard');
    linkFiles('hardlink', [{ from, to }]);
    assert.equal(statSync(to).ino, statSync(from).ino);
  });

  it('makes an inode of its own for a mode of its own', () => {
    const to = join(directory, 'setuid');
    linkFiles('hardlink', [{ from, to, special: { mode: 0o4755 } }]);
    assert.notEqual(statSync(to).ino, statSync(from).ino);
    assert.equal(statSync(to).mode & 0o7777, 0o4755);
    assert.equal(statSync(from).mode & 0o7777, 0o444);
  });

  it('copies where links are not wanted', () => {
    const to = join(directory, 'copy');
    linkFiles('copy', [{ from, to }]);
    assert.notEqual(statSync(to).ino, statSync(from).ino);
    assert.equal(readFileSync(to, 'utf8'), 'content');
  });

  it('fails when the store has lost the file', () => {
    assert.throws(() => linkFiles('hardlink', [{ from: join(directory, 'lost'), to: join(directory, 'x') }]), (error) => hasErrno(error, 'ENOENT'));
  });

  it('copies when the file has as many links as it can have', (test) => {
    const links = join(directory, 'links');
    const full = join(directory, 'full');
    mkdirSync(links);
    writeFileSync(full, 'content');
    let made = 0;
    try {
      for (; made < MANY; made++) linkSync(full, join(links, String(made)));
    } catch (error) {
      assert.ok(hasErrno(error, 'EMLINK'));
    }
    if (made === MANY) {
      test.skip('this file system has no limit that could be reached');
      return;
    }
    const to = join(directory, 'one-more');
    linkFiles('hardlink', [{ from: full, to }]);
    assert.notEqual(statSync(to).ino, statSync(full).ino);
    assert.equal(readFileSync(to, 'utf8'), 'content');
  });

  it('copies to another file system', (test) => {
    const shared = '/dev/shm';
    if (!existsSync(shared) || statSync(shared).dev === statSync(directory).dev) {
      test.skip('there is no second file system to write to');
      return;
    }
    const other = mkdtempSync(join(shared, 'moss-link-'));
    try {
      linkFiles('hardlink', [{ from, to: join(other, 'copy') }]);
      assert.equal(readFileSync(join(other, 'copy'), 'utf8'), 'content');
    } finally {
      rmSync(other, { recursive: true });
    }
  });

  it('shares the blocks by a reflink where the file system can', (test) => {
    const image = join(directory, 'image');
    const mount = join(directory, 'mount');
    const make = ['mkfs.btrfs', 'mkfs.xfs'].find((program) => spawnSync(program, ['--version']).error === undefined);
    if (process.getuid?.() !== 0 || make === undefined) {
      test.skip('needs root, and mkfs.btrfs or mkfs.xfs');
      return;
    }
    mkdirSync(mount);
    const done = spawnSync('sh', ['-c', `truncate -s 400M ${image} && ${make} -q ${image} && mount -o loop ${image} ${mount}`]);
    if (done.status !== 0) {
      test.skip(`a file system cannot be mounted here: ${done.stderr.toString().trim()}`);
      return;
    }
    try {
      writeFileSync(join(mount, 'stored'), Buffer.alloc(1_000_000, 'x'));
      linkFiles('reflink', [{ from: join(mount, 'stored'), to: join(mount, 'copy') }]);
      assert.notEqual(statSync(join(mount, 'copy')).ino, statSync(join(mount, 'stored')).ino);
      assert.equal(readFileSync(join(mount, 'copy')).length, 1_000_000);
    } finally {
      spawnSync('umount', [mount]);
    }
  });
});
