import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MossError } from '../../../core/error.ts';
import { encodeIndex, type IndexEntry, PackageIndex } from '../../../core/repo/index-file.ts';
import { debianPackages, entriesOf, SOME_MANIFEST } from './debian.ts';

const utf8 = new TextEncoder();

function entry(name: string, version: string, more: Partial<IndexEntry> = {}): IndexEntry {
  return {
    name, version, release: 0, architecture: 'amd64', format: 'deb', summary: '', homepage: '', depends: [], recommends: [], provides: [],
    conflicts: [], breaks: [], replaces: [], essential: false, multiArch: '', manifest: SOME_MANIFEST, size: 0, download: 0, files: 0, announce: true, ...more,
  };
}

test('writes one line each, sorted, with name first and without what is empty', () => {
  const bytes = encodeIndex([entry('b', '1'), entry('a', '1'), entry('a', '1.10', { provides: ['v'], size: 5 })]);
  assert.equal(new TextDecoder().decode(bytes), [
    `{"name":"a","provides":["v"],"version":"1.10","architecture":"amd64","format":"deb","manifest":"${SOME_MANIFEST}","size":5}\n`,
    `{"name":"a","version":"1","architecture":"amd64","format":"deb","manifest":"${SOME_MANIFEST}"}\n`,
    `{"name":"b","version":"1","architecture":"amd64","format":"deb","manifest":"${SOME_MANIFEST}"}\n`,
  ].join(''));
});

test('an empty index is an empty file', () => {
  assert.equal(encodeIndex([]).length, 0);
  const index = new PackageIndex(new Uint8Array());
  assert.deepEqual([[...index.names()], index.candidates('a'), index.providers('a'), index.search('a')], [[], [], [], []]);
});

test('refuses to write the same package twice, and relations that cannot be read', () => {
  assert.throws(() => encodeIndex([entry('a', '1'), entry('a', '1')]), MossError);
  assert.throws(() => encodeIndex([entry('a', '1', { depends: ['b (>= )'] })]), { code: 'bad-index' });
  assert.throws(() => encodeIndex([entry('../a', '1')]), { code: 'bad-index' });
  assert.throws(() => encodeIndex([entry('a', '1 2')]), { code: 'bad-index' });
});

const someEntry = fc.record({
  name: fc.constantFrom('a', 'aa', 'b', 'b-c', 'B', 'z+'),
  version: fc.constantFrom('1', '1.1', '2~', '1:0'),
  release: fc.nat(3),
  architecture: fc.constantFrom('amd64', 'arm64', 'all'),
  summary: fc.string({ unit: 'grapheme' }),
  homepage: fc.webUrl(),
  depends: fc.array(fc.constantFrom('a', 'b (>= 1) | c')),
  provides: fc.array(fc.constantFrom('v', 'w (= 1)', 'soname(libx.so.1(x86_64))', 'python(x["]y)')),
  essential: fc.boolean(),
  multiArch: fc.constantFrom('', 'same', 'foreign', 'allowed'),
  size: fc.nat(),
  announce: fc.boolean(),
}).map(({ name, version, ...more }) => entry(name, version, more));

const sameKey = (a: IndexEntry) => `${a.name} ${a.version} ${a.architecture}`;

test('what is written is read back, by every way', () => {
  fc.assert(fc.property(fc.uniqueArray(someEntry, { selector: sameKey }), (entries) => {
    const bytes = encodeIndex(entries);
    const index = new PackageIndex(bytes);
    const read = Array.from(index.entries());
    assert.deepEqual(encodeIndex(read.toReversed()), bytes);
    assert.equal(read.length, entries.length);
    for (const one of entries) {
      assert.ok(index.candidates(one.name).some((candidate) => sameKey(candidate) === sameKey(one) && candidate.summary === one.summary));
    }
    assert.deepEqual([...index.names()], [...new Set(entries.map(({ name }) => name))].toSorted());
    const providers = entries.filter(({ provides }) => provides.includes('w (= 1)')).map(sameKey);
    assert.deepEqual(new Set(index.providers('w').map((provider) => sameKey(provider.entry))), new Set(providers));
    assert.ok(index.providers('w').every(({ version }) => version === '1'));
  }));
});

test('candidates are newest first, and of equal versions the earlier repository is first', () => {
  const index = new PackageIndex([
    { repository: 'one', bytes: encodeIndex([entry('a', '1'), entry('a', '2')]) },
    { repository: 'two', bytes: encodeIndex([entry('a', '3'), entry('a', '2'), entry('b', '1')]) },
  ]);
  assert.deepEqual(index.candidates('a').map(({ version, repository }) => `${version} ${repository}`), ['3 two', '2 one', '2 two', '1 one']);
  assert.deepEqual([...index.names()], ['a', 'b']);
  assert.equal(index.size, 5);
});

test('a package is not a provider of its own name', () => {
  const index = new PackageIndex(encodeIndex([entry('a', '1', { provides: ['a (= 9)', 'v'] })]));
  assert.deepEqual(index.providers('a'), []);
  assert.equal(index.providers('v').length, 1);
});

test('search ranks the name itself first, then its start, its inside, and the summary', () => {
  const index = new PackageIndex(encodeIndex([
    entry('git', '1'), entry('git', '2'), entry('git-lfs', '1'), entry('legit', '1'), entry('tig', '1', { summary: 'Text interface for Git' }), entry('hg', '1'),
  ]));
  assert.deepEqual(index.search('GIT').map(({ name, version }) => `${name} ${version}`), ['git 2', 'git-lfs 1', 'legit 1', 'tig 1']);
  assert.deepEqual(index.search('interface git').map(({ name }) => name), ['tig']);
});

const good = `{"name":"b","version":"1","architecture":"amd64","format":"deb","manifest":"${SOME_MANIFEST}"}\n`;

test('a malformed line is an error that names it', () => {
  const cases: [string, string, RegExp][] = [
    ['cut short', good.slice(0, -1), /cut short/],
    ['no name first', '{"version":"1"}\n', /line 1/],
    ['an empty name', good.replace('"b"', '""'), /line 1/],
    ['an escaped name', good.replace('"b"', '"\\u0062"'), /line 1/],
    ['out of order', good + good.replace('"b"', '"a"'), /line 2 .*order/],
    ['not JSON', good.replace('}', ''), /line 1 .*JSON/],
    ['no version', good.replace('"version":"1",', ''), /line 1 .*version/],
    ['a wrong version', good.replace('"1"', '"1 2"'), /line 1 .*version/],
    ['a wrong format', good.replace('"deb"', '"rpm"'), /line 1 .*format/],
    ['a wrong architecture', good.replace('"amd64"', '"../x"'), /line 1 .*architecture/],
    ['a wrong manifest', good.replace(SOME_MANIFEST, 'baf'), /line 1 .*CID/],
    ['a negative size', good.replace('}', ',"size":-1}'), /line 1 .*size/],
    ['a size of 2^63', good.replace('}', ',"size":9223372036854775808}'), /line 1 .*size/],
    ['a text for a list', good.replace('}', ',"depends":"a"}'), /line 1 .*depends/],
    ['a number in a list', good.replace('}', ',"depends":[1]}'), /line 1 .*depends/],
    ['a long text', good.replace('}', `,"summary":"${'x'.repeat(20_000)}"}`), /line 1 .*summary/],
    ['a flag of another type', good.replace('}', ',"essential":1}'), /line 1 .*essential/],
    ['a second name', good.replace('}', ',"name":"../x"}'), /line 1 .*name/],
    ['an overlong line', good.replace('}', `,"x":"${'x'.repeat(1 << 20)}"}`), /line 1 .*bytes/],
    ['provides without end', good.replace(',"version"', ',"provides":["a"x,"version"'), /line 1/],
    ['provides of a number', good.replace(',"version"', ',"provides":[1,"a"],"version"'), /line 1/],
    ['a malformed provide', good.replace(',"version"', ',"provides":["a b c"],"version"'), /line 1/],
  ];
  for (const [what, content, message] of cases) {
    assert.throws(() => {
      const index = new PackageIndex(utf8.encode(content));
      index.candidates('b');
      index.providers('v');
      index.search('x');
    }, (error) => error instanceof MossError && error.code === 'bad-index' && message.test(error.message), what);
  }
});

test('bytes of any kind are an index or a MossError', () => {
  const mutated = fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => {
    const bytes = utf8.encode(good + good.replace('"b"', '"c","provides":["x","y (= 1)"]'));
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(fc.property(fc.oneof(fc.uint8Array(), mutated), (bytes) => {
    try {
      const index = new PackageIndex(bytes);
      for (const name of index.names()) index.candidates(name);
      index.providers('x');
      index.search('x');
    } catch (error) {
      assert.ok(error instanceof MossError, String(error));
    }
  }), { numRuns: 2000 });
});

test('a Debian release survives being written and read', (context) => {
  const packages = debianPackages();
  if (packages === '') {
    context.skip('apt knows no packages on this machine');
    return;
  }
  const entries = Array.from(entriesOf(packages));
  const index = new PackageIndex(encodeIndex(entries));
  assert.equal(index.size, entries.length);
  for (const one of entries.filter((_, i) => i % 500 === 0)) {
    assert.deepEqual(index.candidates(one.name).filter(({ version }) => version === one.version), [{ ...one, repository: '' }]);
  }
  assert.ok(index.providers('mail-transport-agent').length > 3);
});
