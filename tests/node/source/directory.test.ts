import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parsePath, type PackagePath } from '../../../core/dag/path.ts';
import { MossError, type ErrorCode } from '../../../core/error.ts';
import type { DirectoryWords } from '../../../node/source/directory.ts';
import { importerFor } from '../../../node/source/import.ts';
import type { ImportedPackage, ImportLimits } from '../../../node/source/imported.ts';
import { DirectorySpool } from '../../../node/source/spool.ts';
import { inTemporary } from '../../fixtures/importing.ts';

type Files = Record<string, string | { link: string } | { directory: true } | { run: string }>;

function lay(directory: string, files: Files): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, what] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof what === 'string') writeFileSync(path, what);
    else if ('link' in what) symlinkSync(what.link, path);
    else if ('run' in what) {
      writeFileSync(path, what.run);
      chmodSync(path, 0o700);
    } else mkdirSync(path, { recursive: true });
  }
}

interface Given {
  words?: DirectoryWords;
  limits?: ImportLimits;
  /** Runs after the files are laid. */
  prepare?: (directory: string) => void | Promise<void>;
}

async function importing<T>(files: Files, look: (imported: ImportedPackage, spool: DirectorySpool) => T, { words, limits, prepare }: Given = {}): Promise<T> {
  return inTemporary(async (temporary) => {
    const directory = join(temporary, 'tree');
    lay(directory, files);
    await prepare?.(directory);
    const spool = new DirectorySpool(join(temporary, 'spool'));
    return look(await importerFor(directory, words)(directory, { spool, limits }), spool);
  });
}

const TOML = '[package]\nname = "pea"\nversion = "1.0"\n';
const rows = (imported: ImportedPackage) => imported.entries.map((entry) => `${entry.type} ${entry.path}`);
const at = (path: string): PackagePath => parsePath(path) ?? assert.fail('the root');

test('a directory with a moss.toml becomes a package', async () => {
  const toml = `[package]
name = "pea"
version = "1.0-2"
architecture = "amd64"
summary = "a seed"
description = "round\\n\\ngreen"
homepage = "https://example.org"
licences = ["MIT", "Apache-2.0"]
depends = ["pod (>= 1)", "soil | pot"]
provides = ["seed (= 1)"]
announce = false

[components]
doc = ["usr/share/pea/**/*.md"]
extra = ["usr/share/pea/extra/**"]
`;
  const files: Files = {
    'moss.toml': toml,
    'usr/bin/pea': { run: '#!/bin/sh\n' },
    'usr/share/pea/a.md': 'a',
    'usr/share/pea/extra/b': 'b',
    'usr/share/man/man1/pea.1': 'm',
    'etc/pea.conf': 'c',
    'usr/bin/bean': { link: 'pea' },
    '.git/config': 'secret',
    'usr/.git': 'gitdir: x',
  };
  await importing(files, (imported, spool) => {
    assert.deepEqual(imported.metadata, {
      name: 'pea',
      version: '1.0-2',
      release: 0,
      architecture: 'amd64',
      format: 'directory',
      summary: 'a seed',
      description: 'round\n\ngreen',
      homepage: 'https://example.org',
      licences: ['MIT', 'Apache-2.0'],
      depends: ['pod (>= 1)', 'soil | pot'],
      recommends: [],
      suggests: [],
      provides: ['seed (= 1)'],
      conflicts: [],
      breaks: [],
      replaces: [],
      essential: false,
      multiArch: '',
      source: 'pea',
    });
    assert.equal(imported.announce, false);
    assert.deepEqual(rows(imported).filter((row) => !row.startsWith('directory')), [
      'file etc/pea.conf',
      'symlink usr/bin/bean',
      'file usr/bin/pea',
      'file usr/share/man/man1/pea.1',
      'file usr/share/pea/a.md',
      'file usr/share/pea/extra/b',
    ]);
    const component = (path: string) => imported.componentOf?.(at(path));
    assert.equal(component('usr/share/pea/a.md'), 'doc');
    assert.equal(component('usr/share/pea/extra'), 'extra');
    assert.equal(component('usr/share/pea/extra/b'), 'extra');
    assert.equal(component('usr/share/man/man1/pea.1'), 'man');
    assert.equal(component('usr/bin/pea'), 'main');
    const file = imported.entries.find((entry) => entry.path === 'usr/bin/pea');
    assert.ok(file?.type === 'file');
    assert.equal(file.mode, 0o755);
    assert.equal(readFileSync(spool.pathOf(file.id), 'utf8'), '#!/bin/sh\n');
  });
});

test('the prefix says where the tree goes, and its parents belong to the package', async () => {
  const files = { 'moss.toml': `${TOML}prefix = "/lib/pea/"\n[components]\ndoc = ["*.md"]\n`, 'README.md': 'r', 'a/b': 'c' };
  await importing(files, (imported) => {
    assert.deepEqual(rows(imported), ['directory usr', 'directory usr/lib', 'directory usr/lib/pea', 'file usr/lib/pea/README.md', 'directory usr/lib/pea/a', 'file usr/lib/pea/a/b']);
    assert.equal(imported.componentOf?.(at('usr/lib/pea/README.md')), 'doc');
  });
});

test('without usr or the like in it, a tree goes below usr/share', async () => {
  await importing({ 'moss.toml': TOML, a: 'b' }, (imported) => assert.ok(rows(imported).includes('file usr/share/pea/a')));
});

async function entriesAfter(prepare: (directory: string) => void): Promise<ImportedPackage['entries']> {
  return importing({ 'moss.toml': TOML, 'usr/a': 'a', 'usr/b': { run: 'b' } }, (imported) => imported.entries, { prepare });
}

test('modes do not depend on the umask', async () => {
  const open = await entriesAfter((directory) => {
    chmodSync(join(directory, 'usr'), 0o777);
    chmodSync(join(directory, 'usr/a'), 0o666);
    chmodSync(join(directory, 'usr/b'), 0o4777);
  });
  const closed = await entriesAfter((directory) => {
    chmodSync(join(directory, 'usr'), 0o700);
    chmodSync(join(directory, 'usr/a'), 0o600);
    chmodSync(join(directory, 'usr/b'), 0o700);
  });
  assert.deepEqual(open, closed);
});

test('a package of npm needs no moss.toml', async () => {
  const json = JSON.stringify({ name: '@garden/pea', version: '1.2.3-beta.1', description: 'a seed', license: 'MIT', homepage: 'https://example.org', dependencies: { pod: '^1' } });
  const files: Files = { 'package.json': json, 'index.js': 'x', 'lib/b.js': 'y', 'node_modules/.bin/c': { link: '../c/cli.js' } };
  await importing(files, (imported) => {
    assert.equal(imported.metadata.name, 'garden+pea');
    assert.equal(imported.metadata.version, '1.2.3-beta.1');
    assert.equal(imported.metadata.architecture, 'all');
    assert.equal(imported.metadata.summary, 'a seed');
    assert.deepEqual(imported.metadata.depends, []);
    assert.ok(rows(imported).includes('file usr/lib/node_modules/@garden/pea/lib/b.js'));
    assert.equal(imported.announce, true);
  });
});

test('what the caller says counts more than what the directory says', async () => {
  const words = { name: 'bean', version: '2', architecture: 'arm64', prefix: 'opt/bean' };
  await importing({ 'moss.toml': TOML, 'usr/a': 'b' }, (imported) => {
    assert.equal(imported.metadata.name, 'bean');
    assert.equal(imported.metadata.version, '2');
    assert.equal(imported.metadata.architecture, 'arm64');
    assert.ok(rows(imported).includes('file opt/bean/usr/a'));
  }, { words });
  await importing({ a: 'b' }, (imported) => assert.equal(imported.metadata.name, 'bean'), { words });
});

test('an empty directory is a package, and a large file is read', async () => {
  await importing({}, (imported) => assert.deepEqual(rows(imported), ['directory usr', 'directory usr/share', 'directory usr/share/pea']), { words: { name: 'pea', version: '1' } });
  const big = 'moss'.repeat(2 ** 20);
  await importing({ 'moss.toml': TOML, 'usr/big': big }, (imported, spool) => {
    const file = imported.entries.find((entry) => entry.path === 'usr/big');
    assert.ok(file?.type === 'file');
    assert.equal(readFileSync(spool.pathOf(file.id), 'utf8'), big);
  });
});

interface Refused extends Given {
  name: string;
  files: Files;
  code?: ErrorCode;
  says: RegExp;
}

const withToml = (name: string, toml: string, says: RegExp): Refused => ({ name, files: { 'moss.toml': toml, 'usr/a': 'b' }, says });
const withLine = (name: string, line: string, says: RegExp) => withToml(name, `${TOML}${line}\n`, says);

const hostile: Refused[] = [
  { name: 'no name', files: { a: 'b' }, says: /tree: it does not say its name/ },
  { name: 'no version', files: { 'moss.toml': '[package]\nname = "a"\n' }, says: /it does not say its version/ },
  { name: 'a package.json of noise', files: { 'package.json': '{{{' }, says: /does not say its name/ },
  { name: 'a package.json of a list', files: { 'package.json': '[1]' }, says: /does not say its name/ },
  { name: 'a package.json with a name of another type', files: { 'package.json': '{"name": {}, "version": 3}' }, says: /does not say its name/ },
  { name: 'a package.json with a name that leads upwards', files: { 'package.json': '{"name": "../x", "version": "1"}' }, says: /cannot be the name of a package/ },
  { name: 'a package.json with a scope that leads upwards', files: { 'package.json': '{"name": "@../x", "version": "1"}' }, says: /cannot be the name of a package/ },
  { name: 'a package.json with a version that is none', files: { 'package.json': '{"name": "x", "version": "one two"}' }, says: /version: / },
  withToml('a moss.toml that is no TOML', '[package\n', /moss\.toml: line 1: /),
  withToml('a moss.toml of another table', `${TOML}[other]\n`, /other is no key that moss knows/),
  withLine('an unknown key', 'nmae = "x"', /package\.nmae is no key that moss knows/),
  withToml('a name of another type', '[package]\nname = 1\n', /package\.name is not a text/),
  withToml('a package that is no table', 'package = 1\n', /package is not a table/),
  withToml('a package that is a date', 'package = 1979-05-27\n', /package is not a table/),
  withToml('components that are a list', `components = []\n${TOML}`, /components is not a table/),
  withLine('depends of another type', 'depends = "a"', /package\.depends is not a list of texts/),
  withLine('depends that hold a number', 'depends = [1]', /package\.depends is not a list of texts/),
  withLine('a dependency that is none', 'depends = ["a (>="]', /depends: /),
  withLine('announce of another type', 'announce = "no"', /package\.announce is not true or false/),
  withLine('a prototype', '__proto__ = "x"', /no key|not a/),
  withLine('a component with a bad name', '[components]\n"../x" = ["a"]', /cannot be the name of a component/),
  withLine('a component that is no list', '[components]\ndoc = "a"', /components\.doc is not a list of patterns/),
  withToml('a name that leads upwards', '[package]\nname = "../x"\nversion = "1"\n', /cannot be the name of a package/),
  withToml('an architecture that is none', `${TOML}architecture = "A B"\n`, /cannot be an architecture/),
  { ...withLine('a prefix that leads upwards', 'prefix = "../../etc"', /leads upwards/), code: 'bad-path' },
  { ...withLine('a prefix of moss itself', 'prefix = ".moss/store"', /belongs to moss/), code: 'bad-path' },
  { name: 'a moss.toml that is a directory', files: { 'moss.toml/a': 'b' }, says: /moss\.toml: it is no file/ },
  { name: 'a moss.toml of 2 MiB', files: { 'moss.toml': '#'.repeat(2 ** 21) }, says: /it is no file of at most 1048576 bytes/ },
  { name: 'a link out of the root', files: { 'moss.toml': TOML, 'usr/a': { link: '../../../../etc/passwd' } }, code: 'bad-path', says: /outside of the root/ },
  { name: 'a directory that belongs to moss', files: { 'moss.toml': TOML, 'usr/a': 'b', '.moss/x': 'y' }, code: 'bad-path', says: /belongs to moss/ },
  { name: 'bin and usr/bin, differing', files: { 'moss.toml': TOML, 'bin/sh': 'a', 'usr/bin/sh': 'b' }, code: 'bad-path', says: /it comes as .* and they differ/ },
  { name: 'names that differ in Unicode form', files: { 'moss.toml': TOML, 'usr/\u00e9': 'a', 'usr/e\u0301': 'b' }, code: 'bad-path', says: /Unicode form/ },
  { name: 'more entries than are allowed', files: { 'moss.toml': TOML, 'usr/a': '1', 'usr/b': '2' }, limits: { entries: 2, bytes: 100 }, says: /more than 2 entries/ },
  { name: 'more bytes than are allowed', files: { 'moss.toml': TOML, 'usr/a': '1'.repeat(60), 'usr/b': '2'.repeat(60) }, limits: { entries: 9, bytes: 100 }, says: /"usr\/b": more than 100 bytes/ },
  { name: 'a fifo', files: { 'moss.toml': TOML, 'usr/a': 'b' }, prepare: (directory) => void execFileSync('mkfifo', [join(directory, 'usr/pipe')]), says: /"usr\/pipe": it is a fifo/ },
  {
    name: 'a socket',
    files: { 'moss.toml': TOML, 'usr/a': 'b' },
    prepare: (directory) =>
      new Promise((resolve) => {
        const server = createServer().listen(join(directory, 'usr/sock'), resolve);
        server.unref();
      }),
    says: /"usr\/sock": it is a socket/,
  },
  {
    name: 'a name that is not UTF-8',
    files: { 'moss.toml': TOML, 'usr/a': 'b' },
    prepare: (directory) => writeFileSync(Buffer.concat([Buffer.from(`${directory}/usr/`), Buffer.from([0xff])]), ''),
    code: 'bad-path',
    says: /not valid UTF-8/,
  },
];

for (const { name, files, code = 'bad-package', says, ...given } of hostile) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(importing(files, () => assert.fail('it was imported'), given), (error) => {
      assert.ok(error instanceof MossError, String(error));
      assert.match(error.message, says);
      assert.match(error.message, /tree/);
      assert.equal(error.code, code);
      return true;
    });
  });
}

test('a file that cannot be read is an error that names it', { skip: process.getuid?.() === 0 && 'root reads everything' }, async () => {
  await assert.rejects(entriesAfter((directory) => chmodSync(join(directory, 'usr/a'), 0)), { code: 'io', message: /"usr\/a": EACCES/ });
});
