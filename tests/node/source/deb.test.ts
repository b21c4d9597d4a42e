import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { importDeb } from '../../../node/source/deb.ts';
import { deb, ar, BINARY, controlMember, dataMember } from '../../fixtures/deb-package.ts';
import { importBytes, inTemporary } from '../../fixtures/importing.ts';
import { directory, file, hardlink, longName, pax, symlink, tar } from '../../fixtures/tar-archive.ts';
import { xzStored } from '../../fixtures/xz-stored.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const withCopyright = (text: string) => importBytes(deb({ data: tar(file('./usr/share/doc/pea/copyright', text)) }));

for (const compression of ['', '.gz', '.xz', '.zst'] as const) {
  test(`a .deb with control and data in tar${compression} is read`, async () => {
    const big = Buffer.alloc(3 * 2 ** 20, 'moss');
    const data = tar(directory('./'), directory('./usr/'), directory('./usr/bin/'), file('./usr/bin/pea', 'content', { mode: 0o755 }), file('./usr/bin/big', big));
    const { metadata, entries, textOf } = await importBytes(deb({ compression, data }));
    assert.equal(metadata.name, 'pea');
    assert.deepEqual(entries.map((entry) => entry.path), ['usr', 'usr/bin', 'usr/bin/big', 'usr/bin/pea']);
    assert.equal(textOf('usr/bin/pea'), 'content');
    assert.equal(textOf('usr/bin/big'), big.toString());
  });
}

test('an xz member may have several streams, and padding', async () => {
  const archive = tar(file('./usr/bin/pea', 'content'));
  const bytes = Buffer.concat([xzStored(archive.subarray(0, 700)), Buffer.alloc(4), xzStored(archive.subarray(700)), Buffer.alloc(8)]);
  assert.equal((await importBytes(ar(BINARY, controlMember(), { name: 'data.tar.xz', bytes }))).textOf('usr/bin/pea'), 'content');
});

test('the control file becomes metadata', async () => {
  const control = `Package: pea
Source: pod (2.0)
Version: 1:1.0-1
Architecture: all
Essential: yes
Multi-Arch: same
Pre-Depends: dpkg (>= 1.17)
Depends: soil | pot,
 water  (>= 1.0) , , sun:any
Recommends: a
Suggests: b, c
Provides: green (= 1)
Conflicts: d
Breaks: e (<< 2)
Replaces: f
Homepage: https://example.org/pea
# a comment
Description: a small
 It is round.
 .
   - and green
`;
  const { metadata } = await importBytes(deb({ control }));
  assert.deepEqual(metadata, {
    name: 'pea',
    version: '1:1.0-1',
    release: 0,
    architecture: 'all',
    format: 'deb',
    summary: 'a small',
    description: 'It is round.\n\n  - and green',
    homepage: 'https://example.org/pea',
    licences: [],
    depends: ['dpkg (>= 1.17)', 'soil | pot', 'water (>= 1.0)', 'sun:any'],
    recommends: ['a'],
    suggests: ['b', 'c'],
    provides: ['green (= 1)'],
    conflicts: ['d'],
    breaks: ['e (<< 2)'],
    replaces: ['f'],
    essential: true,
    multiArch: 'same',
    source: 'pod (2.0)',
  });
});

test('a .udeb, members that start with an underscore, and further members are fine', async () => {
  const bytes = ar(BINARY, { name: '_extra', bytes: Buffer.from('x') }, controlMember(), dataMember(), { name: 'signature/', bytes: Buffer.from('y') });
  assert.equal((await importBytes(bytes)).metadata.name, 'pea');
});

test('modes and owners are kept', async () => {
  const data = tar(
    file('./usr/bin/su', 'a', { mode: 0o104755 }),
    file('./usr/bin/mail', 'b', { mode: 0o2755, gid: 8, group: 'mail' }),
    { ...directory('./var/spool/', 0o1777), uid: 1, user: 'daemon', group: 'root' },
    { ...symlink('./usr/bin/x', 'su'), uid: 5, user: 'games' },
  );
  const { at } = await importBytes(deb({ data }));
  const su = at('usr/bin/su');
  assert.ok(su?.type === 'file');
  assert.equal(su.mode, 0o4755);
  assert.equal(su.owner, undefined);
  assert.deepEqual(at('usr/bin/mail')?.owner, { uid: 0, gid: 8, user: 'root', group: 'mail' });
  const spool = at('var/spool');
  assert.ok(spool?.type === 'directory');
  assert.equal(spool.mode, 0o1777);
  assert.deepEqual(spool.owner, { uid: 1, gid: 0, user: 'daemon', group: 'root' });
  assert.deepEqual(at('usr/bin/x')?.owner, { uid: 5, gid: 0, user: 'games', group: 'root' });
});

test('bin, sbin and lib are merged into usr', async () => {
  const data = tar(directory('./bin/'), file('./bin/sh'), directory('./usr/'), directory('./usr/bin/'), file('./lib/x86/a.so'), symlink('./lib64', 'usr/lib64'), symlink('./sbin', '/usr/sbin'));
  const { entries } = await importBytes(deb({ data }));
  assert.deepEqual(entries.map((entry) => `${entry.type} ${entry.path}`), ['directory usr', 'directory usr/bin', 'file usr/bin/sh', 'file usr/lib/x86/a.so']);
});

test('a link out of a merged directory leads where it led', async () => {
  const data = tar(symlink('./lib/udev/a', '../../usr/share/a'), symlink('./bin/b', '../usr/bin/c'), symlink('./lib/c', 'd'), symlink('./lib/e', '../sbin/f'), symlink('./lib/g', '/etc/g'));
  const { entries } = await importBytes(deb({ data }));
  assert.deepEqual(
    entries.map((entry) => [entry.path, entry.type === 'symlink' && entry.target]),
    [
      ['usr/bin/b', '../../usr/bin/c'],
      ['usr/lib/c', 'd'],
      ['usr/lib/e', '../sbin/f'],
      ['usr/lib/g', '/etc/g'],
      ['usr/lib/udev/a', '../../../usr/share/a'],
    ],
  );
});

test('the same path twice with the same content is one entry', async () => {
  const data = tar(file('./bin/sh', 'a'), file('./usr/bin/sh', 'a'), directory('./etc/'), directory('./etc/'), symlink('./usr/x', 'y'), symlink('./usr/x', 'y'));
  const { entries } = await importBytes(deb({ data }));
  assert.deepEqual(entries.map((entry) => entry.path), ['etc', 'usr/bin/sh', 'usr/x']);
});

test('hard links become files of their own', async () => {
  const data = tar(file('./usr/bin/perl', 'p', { mode: 0o755 }), hardlink('./usr/bin/perl5', './usr/bin/perl'));
  const { at } = await importBytes(deb({ data }));
  const [one, two] = [at('usr/bin/perl'), at('usr/bin/perl5')];
  assert.deepEqual({ ...two, path: one?.path }, one);
});

test('long names, long links, pax headers and ustar prefixes are understood', async () => {
  const long = `usr/share/${'l'.repeat(150)}`;
  const data = tar(
    longName(`./${long}`),
    file('./cut', 'a'),
    longName(`${'t'.repeat(200)}`, 'K'),
    symlink('./usr/k', 'cut'),
    pax({ path: './usr/007', uname: '12', mtime: '1.5', 'SCHILY.xattr.user.x': '\n=' }),
    file('./cut', 'b', { magic: 'ustar', uid: 12 }),
    file('name', 'c', { magic: 'ustar', prefix: 'usr/share' }),
    pax({ comment: 'for all' }, 'g'),
    pax({ size: '4' }),
    file('./usr/s', 'four', { size: '00000000000' }),
    { name: './usr/v7', content: 'd', magic: 'v7' },
  );
  const { entries, textOf, at } = await importBytes(deb({ data }));
  assert.deepEqual(entries.map((entry) => entry.path), ['usr/007', 'usr/k', 'usr/s', `usr/share/${'l'.repeat(150)}`, 'usr/share/name', 'usr/v7']);
  assert.equal(textOf(long), 'a');
  assert.equal(textOf('usr/s'), 'four');
  const link = at('usr/k');
  assert.equal(link?.type === 'symlink' && link.target, 't'.repeat(200));
  assert.equal(at('usr/007')?.owner?.user, '12');
});

test('names that differ only in case stay apart', async () => {
  const { entries } = await importBytes(deb({ data: tar(file('./usr/include/xt_MARK.h', 'a'), file('./usr/include/xt_mark.h', 'b')) }));
  assert.equal(entries.length, 2);
});

test('maintainer scripts are recorded, other control files are not', async () => {
  const scripts = { postinst: '#!/bin/sh\nexit 0\n', config: 'x', md5sums: 'y', triggers: 'z' };
  const imported = await importBytes(deb({ scripts }));
  assert.deepEqual(imported.scripts, [
    { name: 'postinst', size: 17, sha256: sha256(scripts.postinst) },
    { name: 'config', size: 1, sha256: sha256('x') },
  ]);
});

test('conffiles outside of etc are listed', async () => {
  const conffiles = '/etc/pea.conf\n/usr/share/pea/colour\nremove-on-upgrade /etc/old\n/usr/share/pea/none\n';
  const data = tar(file('./etc/pea.conf'), file('./usr/share/pea/colour'));
  assert.deepEqual((await importBytes(deb({ scripts: { conffiles }, data }))).conffiles, ['usr/share/pea/colour']);
});

test('licences come from a copyright file that is written for machines', async () => {
  const dep5 = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: me\nLicense: MIT\n text\n\nFiles: b\nLicense: GPL-2+ or BSD\n\nLicense: MIT\n again\n';
  assert.deepEqual((await withCopyright(dep5)).metadata.licences, ['MIT', 'GPL-2+ or BSD']);
  assert.deepEqual((await withCopyright('This is free software.\nLicense: MIT\n')).metadata.licences, []);
});

test('alternatives come from the postinst', async () => {
  const postinst = '#!/bin/sh\nupdate-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5\n';
  assert.deepEqual((await importBytes(deb({ scripts: { postinst } }))).alternatives, [{ link: 'usr/bin/awk', name: 'awk', path: 'usr/bin/mawk', priority: 5, slaves: [] }]);
});

test('an import can be aborted', async () => {
  const reason = new Error('enough');
  const spool = { add: () => assert.fail('nothing is read') };
  await assert.rejects(importDeb('/nowhere', { spool, signal: AbortSignal.abort(reason) }), reason);
});

for (const compression of ['.xz', '.gz', '.zst'] as const) {
  test(`an import of tar${compression} can be aborted in the middle, and the next one works`, async () => {
    const big = Buffer.alloc(4 * 2 ** 20, 'moss');
    const bytes = deb({ compression, data: tar(file('./usr/a', 'a'), file('./usr/big', big), file('./usr/c', 'c')) });
    await inTemporary(async (temporary) => {
      const path = join(temporary, 'pea.deb');
      writeFileSync(path, bytes);
      const controller = new AbortController();
      const reason = new Error('enough');
      const added: number[] = [];
      const spool = {
        add: async (_chunks: unknown, size: number) => {
          added.push(size);
          controller.abort(reason);
          throw reason;
        },
      };
      await assert.rejects(importDeb(path, { spool, signal: controller.signal }), reason);
      assert.deepEqual(added, [1]);
    });
    assert.equal((await importBytes(bytes)).entries.length, 3);
  });
}

test('what the spool cannot write is an error that names the file', async () => {
  await inTemporary(async (temporary) => {
    const path = join(temporary, 'pea.deb');
    writeFileSync(path, deb());
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
    const spool = { add: () => Promise.reject(full) };
    await assert.rejects(importDeb(path, { spool }), { code: 'disk-full', message: /pea\.deb, data\.tar\.gz, at byte 0, "\.\/usr\/bin\/pea": ENOSPC/ });
  });
});

test('a file that is not there is an error of the system that names it', async () => {
  await assert.rejects(importDeb('/nowhere/pea.deb', { spool: { add: () => assert.fail('nothing is read') } }), { code: 'io', message: /\/nowhere\/pea\.deb.*ENOENT/ });
});
