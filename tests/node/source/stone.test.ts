import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { importBytes, inTemporary } from '../../fixtures/importing.ts';
import { content, digestOf, index, layout, meta, pea, PEA_META, stone } from '../../fixtures/stone-package.ts';
import { readStoneIndex } from '../../../node/source/stone-index.ts';

const real = (name: string) => readFileSync(new URL(`../../fixtures/stone/${name}`, import.meta.url));

test('a real package is read, all checksums right', async () => {
  const { metadata, entries, at } = await importBytes(real('bash-completion-2.11-1-1-x86_64.stone'));
  assert.equal(metadata.name, 'bash-completion');
  assert.equal(metadata.version, '2.11');
  assert.equal(metadata.release, 1);
  assert.equal(metadata.architecture, 'amd64');
  assert.equal(metadata.format, 'stone');
  assert.deepEqual(metadata.licences, ['GPL-2.0-or-later']);
  assert.deepEqual(metadata.provides, ['cmake(bash-completion)']);
  assert.equal(entries.length, 745);
  const main = at('usr/share/bash-completion/bash_completion');
  assert.ok(main?.type === 'file');
  assert.equal(main.size, 76_332);
  assert.equal(main.mode, 0o644);
  const link = at('usr/share/bash-completion/completions/7za');
  assert.equal(link?.type === 'symlink' && link.target, '7z');
});

test('a real package with an empty file is read', async () => {
  const { metadata, entries, textOf } = await importBytes(real('pineapple-1-1-1-x86_64.stone'));
  assert.equal(metadata.homepage, 'https://github.com/serpent-os');
  assert.deepEqual(entries.map((entry) => entry.path), ['usr/share/defaults/pienapple']);
  assert.equal(textOf('usr/share/defaults/pienapple'), '');
});

test('the meta payload becomes metadata', async () => {
  const fields = [...PEA_META, { tag: 8, primitive: 10, kind: 0, value: 'pod' }, { tag: 10, primitive: 11, kind: 0, value: 'bean' }, { tag: 99, value: 'unknown' }, { tag: 12, primitive: 77, value: 'opaque' }];
  const { metadata } = await importBytes(await stone({ payloads: await pea({ meta: fields }) }));
  assert.deepEqual(metadata, {
    name: 'pea',
    version: '1.0',
    release: 7,
    architecture: 'amd64',
    format: 'stone',
    summary: 'a small green seed',
    description: 'It is round.',
    homepage: '',
    licences: ['MIT'],
    depends: ['soname(libc.so.6(x86_64))', 'pod'],
    recommends: [],
    suggests: [],
    provides: ['binary(pea)'],
    conflicts: ['bean'],
    breaks: [],
    replaces: [],
    essential: false,
    multiArch: '',
    source: 'pod',
  });
});

test('payloads may come in any order, and unknown ones are skipped', async () => {
  const [metaPayload, ...others] = await pea();
  assert.ok(metaPayload);
  const unknown = { kind: 9, plain: Buffer.from('what is this') };
  const squeezed = { kind: 5, plain: Buffer.from('later'), compression: 7, stored: Buffer.from('x') };
  const attributes = { kind: 5, plain: Buffer.from('opaque') };
  const { entries, textOf } = await importBytes(await stone({ payloads: [unknown, squeezed, ...others.toReversed(), attributes, metaPayload] }));
  assert.deepEqual(entries.map((entry) => entry.path), ['usr/bin', 'usr/bin/bean', 'usr/bin/pea']);
  assert.equal(textOf('usr/bin/pea'), 'content');
});

test('a package without files has metadata only', async () => {
  const { entries } = await importBytes(await stone({ payloads: [meta(...PEA_META)] }));
  assert.deepEqual(entries, []);
});

test('files may share a content, lie in any order, and be large or empty', async () => {
  const big = Buffer.alloc(3 * 2 ** 20, 'moss');
  const small = Buffer.from('small');
  const [bigDigest, smallDigest, none] = [await digestOf(big), await digestOf(small), await digestOf('')];
  const total = BigInt(big.length + small.length);
  const payloads = [
    meta(...PEA_META),
    content(Buffer.concat([big, small])),
    index({ start: BigInt(big.length), end: total, digest: smallDigest }, { start: 5n, end: 5n, digest: none }, { start: 0n, end: BigInt(big.length), digest: bigDigest }),
    layout({ path: 'b', source: bigDigest }, { path: 'a', source: smallDigest }, { path: 'c', source: smallDigest, mode: 0o104755 }, { path: 'e\0', source: none }),
  ];
  const { entries, textOf, at } = await importBytes(await stone({ payloads }));
  assert.deepEqual(entries.map((entry) => entry.path), ['usr/a', 'usr/b', 'usr/c', 'usr/e']);
  assert.equal(textOf('usr/b'), big.toString());
  assert.equal(textOf('usr/c'), 'small');
  const c = at('usr/c');
  assert.equal(c?.type === 'file' && c.mode, 0o4755);
});

test('stone.index lists packages beside it', async () => {
  await inTemporary(async (directory) => {
    mkdirSync(join(directory, 'repo'));
    const file = join(directory, 'repo', 'stone.index');
    const sha256 = createHash('sha256').update('x').digest('hex');
    const listed = ['p/pea.stone', '../pool/b/bean.stone'].map((uri) => meta({ tag: 14, value: uri }, { tag: 15, value: sha256 }, { tag: 16, value: 12n }));
    writeFileSync(file, await stone({ type: 3, payloads: listed }));
    assert.deepEqual(await readStoneIndex(file), [
      { uri: 'p/pea.stone', sha256, size: 12, path: join(directory, 'repo', 'p/pea.stone') },
      { uri: '../pool/b/bean.stone', sha256, size: 12, path: join(directory, 'pool/b/bean.stone') },
    ]);
  });
});

for (const [name, fields, says] of [
  ['an absolute URI', [{ tag: 14, value: '/etc/passwd' }], /relative to itself/],
  ['a URI of a host', [{ tag: 14, value: 'https://example.org/a.stone' }], /relative to itself/],
  ['no URI', [], /does not give its uri/],
  ['a digest that is none', [{ tag: 14, value: 'a' }, { tag: 15, value: 'b' }], /no SHA-256/],
  ['no size', [{ tag: 14, value: 'a' }], /does not give its size/],
] as const) {
  test(`stone.index with ${name} is refused`, async () => {
    await inTemporary(async (directory) => {
      const file = join(directory, 'stone.index');
      const digest = fields.length === 2 ? [] : [{ tag: 15, value: '0'.repeat(64) }];
      writeFileSync(file, await stone({ type: 3, payloads: [meta(...fields, ...digest)] }));
      await assert.rejects(readStoneIndex(file), says);
    });
  });
}

test('a package is no index', async () => {
  await inTemporary(async (directory) => {
    const file = join(directory, 'stone.index');
    writeFileSync(file, await stone());
    await assert.rejects(readStoneIndex(file), { code: 'unsupported', message: /it is no index, but a file of the type "package"/ });
  });
});
