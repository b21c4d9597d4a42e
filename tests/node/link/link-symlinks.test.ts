import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { linkSymlinks } from '../../../node/link/link-symlinks.ts';
import { Layout } from '../../../node/store/layout.ts';

describe('symbolic links of a state', () => {
  const root = mkdtempSync(join(tmpdir(), 'moss-symlinks-'));
  const layout = new Layout(root);
  const skip = platform() === 'linux' ? false : 'link(2) follows symbolic links here';
  mkdirSync(layout.moss);
  after(() => rmSync(root, { recursive: true, force: true }));

  it('lead where they should, and those with one target are one inode', { skip }, () => {
    const paths = ['a', 'b', 'c'].map((name) => join(root, name));
    linkSymlinks(layout, paths.map((path, i) => ({ path, target: i < 2 ? '../same target' : 'other' })));
    assert.deepEqual(paths.map((path) => readlinkSync(path)), ['../same target', '../same target', 'other']);
    assert.equal(lstatSync(join(root, 'a')).ino, lstatSync(join(root, 'b')).ino);
    assert.equal(readdirSync(layout.symlinks).length, 2);
  });

  it('are not taken from something else that lies in their place', { skip }, () => {
    const kept = readdirSync(layout.symlinks).find((name) => readlinkSync(join(layout.symlinks, name)) === 'other') ?? '';
    const path = join(layout.symlinks, kept);
    for (const [i, replace] of [() => symlinkSync('evil', path), () => writeFileSync(path, 'a file'), () => mkdirSync(join(path, 'full'), { recursive: true })].entries()) {
      rmSync(path, { recursive: true });
      replace();
      linkSymlinks(layout, [{ path: join(root, `again-${i}`), target: 'other' }]);
      assert.equal(readlinkSync(join(root, `again-${i}`)), 'other');
    }
  });
});
