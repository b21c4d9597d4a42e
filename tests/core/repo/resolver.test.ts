import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeIndex, PackageIndex } from '../../../core/repo/index-file.ts';
import { resolve, type ResolveRequest } from '../../../core/repo/resolver.ts';
import { parseDependency } from '../../../core/repo/dependency.ts';
import { entry, indexOf, installed, labels, systemAfter } from './universe.ts';

const architectures = ['amd64', 'all'];

interface Case extends Partial<Omit<ResolveRequest, 'install'>> {
  /** Requirements in Debian's syntax. */
  install?: readonly string[];
}

function solve(entries: Parameters<typeof indexOf>, { install = [], ...more }: Case) {
  return resolve({ index: indexOf(...entries), architectures, installed: [], install: install.flatMap((text) => parseDependency(text)), ...more });
}

/** `name version` of all packages that are on the system afterwards. */
const after = (...request: Parameters<typeof solve>) => labels(systemAfter(solve(...request)));

test('installs the newest version, with what it needs', () => {
  assert.deepEqual(after([entry('a 1'), entry('a 2', { depends: ['b'] }), entry('b 1')], { install: ['a'] }), ['a 2', 'b 1']);
});

test('takes the first alternative that can be', () => {
  const a = entry('a 1', { depends: ['b | c'] });
  assert.deepEqual(after([a, entry('b 1'), entry('c 1')], { install: ['a'] }), ['a 1', 'b 1']);
  assert.deepEqual(after([a, entry('b 1', { depends: ['none'] }), entry('c 1')], { install: ['a'] }), ['a 1', 'c 1']);
});

test('prefers an alternative that is there, or has to come anyway', () => {
  const entries = [entry('a 1', { depends: ['b | c'] }), entry('b 1'), entry('c 1'), entry('d 1', { depends: ['c'] })] as const;
  assert.deepEqual(after([...entries], { install: ['a'], installed: [installed(entry('c 1'), false)] }), ['a 1', 'c 1']);
  assert.deepEqual(after([...entries], { install: ['a', 'd'] }), ['a 1', 'c 1', 'd 1']);
});

test('a provider fulfils a dependency on a virtual package, the one that needs least first', () => {
  const gawk = entry('gawk 1', { provides: ['awk'], depends: ['x', 'y'] });
  assert.deepEqual(after([entry('a 1', { depends: ['awk'] }), gawk, entry('mawk 1', { provides: ['awk'] }), entry('x 1'), entry('y 1')], { install: ['a'] }), ['a 1', 'mawk 1']);
});

test('only a versioned provide fulfils a versioned dependency (policy 7.5)', () => {
  const a = entry('a 1', { depends: ['v (>= 2)'] });
  assert.throws(() => solve([a, entry('p 9', { provides: ['v'] })], { install: ['a'] }), { message: 'a needs v (>= 2), which is provided by p, but without a version' });
  assert.throws(() => solve([a, entry('p 9', { provides: ['v (= 1)'] })], { install: ['a'] }), { message: 'a needs v (>= 2), which is provided by p as 1' });
  assert.deepEqual(after([a, entry('p 1', { provides: ['v (= 2)'] })], { install: ['a'] }), ['a 1', 'p 1']);
});

test('the user may ask for a virtual package or a capability, but a name means the package of that name', () => {
  assert.deepEqual(solve([entry('p 1', { provides: ['soname(libx.so.1(x86_64))'] })], { install: ['soname(libx.so.1(x86_64))'] }).explicit, ['p']);
  assert.deepEqual(after([entry('p 1', { provides: ['a'] }), entry('a 1')], { install: ['a'] }), ['a 1']);
});

test('goes back over choices that lead nowhere', () => {
  const entries = [
    entry('app 1', { depends: ['a', 'b'] }), entry('a 1', { depends: ['c (= 1)'] }), entry('a 2', { depends: ['c (= 2)'] }),
    entry('b 1', { depends: ['c (= 1)'] }), entry('c 1'), entry('c 2'),
  ] as const;
  assert.deepEqual(after([...entries], { install: ['app'] }), ['a 1', 'app 1', 'b 1', 'c 1']);
});

test('conflicts and breaks hold against versions and provides, in both directions, but never against itself (policy 7.6)', () => {
  const p = entry('p 1', { provides: ['v'], conflicts: ['v'] });
  assert.deepEqual(after([p], { install: ['p'] }), ['p 1']);
  assert.throws(() => solve([p, entry('q 1', { provides: ['v'] })], { install: ['p', 'q'] }), { message: 'p conflicts with v (provided by q), which you asked for' });
  assert.deepEqual(after([entry('a 1', { breaks: ['b (<< 2)'] }), entry('b 2')], { install: ['a', 'b'] }), ['a 1', 'b 2']);
  assert.throws(() => solve([entry('a 1', { breaks: ['b (<< 2)'] }), entry('b 1')], { install: ['b', 'a'] }), /a breaks b \(<< 2\), which you asked for/);
});

test('picks the version that is asked for, and goes back to it', () => {
  const entries = [entry('a 1'), entry('a 2'), entry('a 3')] as const;
  assert.deepEqual(after([...entries], { install: ['a (= 2)'] }), ['a 2']);
  const back = solve([...entries], { install: ['a (= 1)'], installed: [installed(entry('a 3'), true)] });
  assert.deepEqual(back.downgrade.map(({ from, to }) => `${from.version} to ${to.version}`), ['3 to 1']);
});

test('never goes back to an older version unless a version is asked for', () => {
  const entries = [entry('a 1', { depends: ['lib (= 1)'] }), entry('lib 1'), entry('lib 2')] as const;
  const here = [installed(entry('lib 2'), false)];
  assert.throws(() => solve([...entries], { install: ['a'], installed: here }), {
    message: 'a needs lib (= 1)\nlib 2 is installed, and 1 is older',
    hint: 'To go back, ask for it: lib=1',
  });
  assert.deepEqual(after([...entries], { install: ['a', 'lib (= 1)'], installed: here }), ['a 1', 'lib 1']);
});

test('leaves installed versions alone unless they are to be upgraded, or have to be', () => {
  const entries = [entry('a 2'), entry('b 2', { depends: ['c (>= 2)'] }), entry('c 2')] as const;
  const here = [installed(entry('a 1'), true), installed(entry('c 1'), false)];
  assert.deepEqual(after([...entries], { install: ['a'], installed: here }), ['a 1', 'c 1']);
  assert.deepEqual(after([...entries], { install: ['b'], installed: here }), ['a 1', 'b 2', 'c 2']);
  assert.deepEqual(after([...entries], { upgrade: ['a'], installed: here }), ['a 2', 'c 1']);
  assert.deepEqual(after([...entries], { upgrade: 'all', installed: here }), ['a 2', 'c 2']);
});

test('an upgrade says what it holds back', () => {
  const app = entry('app 1', { depends: ['lib (<< 2)'] });
  const { keep, heldBack } = solve([app, entry('lib 2')], { upgrade: 'all', installed: [installed(app, true), installed(entry('lib 1'), false)] });
  assert.deepEqual(labels(keep), ['app 1', 'lib 1']);
  assert.deepEqual(heldBack.map(({ to }) => `${to.name} ${to.version}`), ['lib 2']);
});

test('an upgrade brings what is needed now, and replaces automatic packages that were renamed', () => {
  const resolution = solve([entry('app 2', { depends: ['libt'] }), entry('libt 1', { conflicts: ['lib'], replaces: ['lib'] })], {
    upgrade: 'all',
    installed: [installed(entry('app 1', { depends: ['lib'] }), true), installed(entry('lib 1'), false)],
  });
  assert.deepEqual(labels(systemAfter(resolution)), ['app 2', 'libt 1']);
  assert.deepEqual(resolution.remove.map(({ name, reason }) => `${name}: ${reason}`), ['lib: libt takes its place']);
});

test('the same version from another repository, or built again, changes nothing', () => {
  const resolution = solve([entry('a 1', { depends: ['b'] }), entry('b 1')], { upgrade: 'all', install: ['a'], installed: [installed(entry('a 1'), true)] });
  assert.deepEqual([labels(resolution.keep), resolution.install, resolution.upgrade], [['a 1'], [], []]);
});

test('of equal versions, the one of the first repository is taken', () => {
  const index = new PackageIndex(['one', 'two'].map((repository) => ({ repository, bytes: encodeIndex([entry('a 1')]) })));
  assert.deepEqual(resolve({ index, architectures, installed: [], install: [{ name: 'a' }] }).install.map(({ repository }) => repository), ['one']);
});

test('never removes what the user installed for the sake of another package', () => {
  const entries = [entry('a 1', { conflicts: ['b'] }), entry('b 1')] as const;
  assert.throws(() => solve([...entries], { install: ['a'], installed: [installed(entry('b 1'), true)] }), {
    message: 'a conflicts with b, which you installed',
    hint: 'It would be possible without b: moss remove b',
  });
  const { remove } = solve([...entries], { install: ['a'], installed: [installed(entry('b 1'), false)] });
  assert.deepEqual(remove.map(({ name, reason }) => `${name}: ${reason}`), ['b: a 1 conflicts with it']);
  assert.deepEqual(after([...entries], { install: ['a'], remove: ['b'], installed: [installed(entry('b 1'), true)] }), ['a 1']);
});

test('rather takes another alternative than remove something', () => {
  const entries = [entry('a 1', { depends: ['b | c'] }), entry('b 1', { conflicts: ['d'] }), entry('c 1'), entry('e 1', { depends: ['d'] }), entry('d 1')] as const;
  const here = [installed(entry('e 1', { depends: ['d'] }), true), installed(entry('d 1'), false)];
  assert.deepEqual(after([...entries], { install: ['a'], installed: here }), ['a 1', 'c 1', 'd 1', 'e 1']);
});

test('a package that takes the place of another may do so when it is asked for (policy 7.6.2)', () => {
  const agent = { provides: ['mta'], conflicts: ['mta'], replaces: ['mta'] };
  const resolution = solve([entry('postfix 1', agent), entry('exim 1', agent)], { install: ['postfix'], installed: [installed(entry('exim 1', agent), true)] });
  assert.deepEqual(labels(systemAfter(resolution)), ['postfix 1']);
  assert.deepEqual(resolution.remove.map(({ name, reason }) => `${name}: ${reason}`), ['exim: postfix takes its place']);
  assert.deepEqual(resolution.explicit, ['postfix']);
});

test('removing takes along what needs the removed, and names what nobody needs any more', () => {
  const here = [
    installed(entry('app 1', { depends: ['lib'] }), true), installed(entry('lib 1', { depends: ['base'] }), false), installed(entry('base 1'), false), installed(entry('own 1'), true),
  ];
  const resolution = solve([], { remove: ['lib'], installed: here });
  assert.deepEqual(resolution.remove.map(({ name, reason }) => `${name}: ${reason}`), ['app: it needs lib', 'lib: you asked for it']);
  assert.deepEqual([resolution.orphans, resolution.explicit, labels(resolution.keep)], [['base'], ['own'], ['base 1', 'own 1']]);
});

test('removing keeps what another package can serve, even if that has to be installed', () => {
  const app = entry('app 1', { depends: ['b | c'] });
  assert.deepEqual(after([app, entry('b 1'), entry('c 1')], { remove: ['b'], installed: [installed(app, true), installed(entry('b 1'), false)] }), ['app 1', 'c 1']);
});

test('orphans are what nothing asked for needs or recommends, by the alternative that is used', () => {
  const here = [
    installed(entry('app 1', { depends: ['b | c'], recommends: ['r'] }), true), installed(entry('b 1'), false), installed(entry('c 1'), false), installed(entry('r 1'), false),
    installed(entry('base 1', { essential: true }), false), installed(entry('x 1', { depends: ['y'] }), false), installed(entry('y 1', { depends: ['x'] }), false),
  ];
  assert.deepEqual(solve([], { installed: here }).orphans, ['c', 'x', 'y']);
});

test('asking for an automatic package makes it one of the user', () => {
  const resolution = solve([entry('a 1')], { install: ['a'], installed: [installed(entry('a 1'), false)] });
  assert.deepEqual([resolution.explicit, resolution.orphans, labels(resolution.keep)], [['a'], [], ['a 1']]);
});

test('essential packages stay unless the request allows it (policy 3.8)', () => {
  const here = [installed(entry('sh 1', { essential: true, depends: ['libc'] }), false), installed(entry('libc 1'), false)];
  assert.throws(() => solve([], { remove: ['sh'], installed: here }), { message: 'you asked to remove sh\nsh is essential, and stays' });
  assert.throws(() => solve([], { remove: ['libc'], installed: here }), { message: 'sh needs libc\nyou asked to remove libc\nsh is essential, and stays' });
  assert.deepEqual(after([], { remove: ['sh'], allowEssential: true, installed: here }), ['libc 1']);
});

test('recommendations come along when wanted and possible, and are never in the way', () => {
  const entries = [entry('a 1', { recommends: ['r', 's', 'none'] }), entry('r 1', { depends: ['t'] }), entry('t 1'), entry('s 1', { conflicts: ['a'] })] as const;
  assert.deepEqual(after([...entries], { install: ['a'] }), ['a 1']);
  assert.deepEqual(after([...entries], { install: ['a'], recommends: true }), ['a 1', 'r 1', 't 1']);
});

test('packages for other systems are not considered', () => {
  const entries = [entry('a 1'), entry('a 2', { architecture: 'arm64' }), entry('b 1', { architecture: 'all' })] as const;
  assert.deepEqual(after([...entries], { install: ['a', 'b'] }), ['a 1', 'b 1']);
});

test('qualifiers say nothing on one architecture, but that of another fits nothing', () => {
  const entries = [entry('a 1', { depends: ['b:any'] }), entry('b 1'), entry('c 1', { depends: ['b:arm64'] })] as const;
  assert.deepEqual(after([...entries], { install: ['a'] }), ['a 1', 'b 1']);
  assert.throws(() => solve([...entries], { install: ['c'] }), { code: 'unresolvable' });
});

test('.stone packages are resolved by their capabilities, and ordered by release', () => {
  const stone = { format: 'stone' } as const;
  const entries = [
    entry('app 1', { ...stone, depends: ['soname(libz.so.1(x86_64))', 'name(sh)'] }), entry('sh 1', { ...stone, provides: ['name(sh)'] }),
    entry('zlib 2.0', { ...stone, release: 3, provides: ['soname(libz.so.1(x86_64))'] }), entry('zlib 1.9', { ...stone, release: 4, provides: ['soname(libz.so.1(x86_64))'] }),
  ] as const;
  assert.deepEqual(after([...entries], { install: ['app'] }), ['app 1', 'sh 1', 'zlib 1.9']);
});

test('a package may need itself, or what it provides', () => {
  assert.deepEqual(after([entry('a 1', { depends: ['a', 'v'], provides: ['v'] })], { install: ['a'] }), ['a 1']);
});

test('what is to be removed or upgraded has to be installed', () => {
  assert.throws(() => solve([entry('a 1')], { remove: ['a'] }), { code: 'not-found' });
  assert.throws(() => solve([entry('a 1')], { upgrade: ['a'] }), { code: 'not-found' });
});

test('a malformed relation is an error that names the package, and only where it matters', () => {
  const broken = { ...entry('a 1'), depends: ['b ('] };
  const index = { names: () => ['a', 'b'], candidates: (name: string) => (name === 'a' ? [{ ...broken, repository: '' }] : name === 'b' ? [{ ...entry('b 1'), repository: '' }] : []), providers: () => [] };
  assert.throws(() => resolve({ index, architectures, installed: [], install: [{ name: 'a' }] }), { code: 'bad-index', message: /^a 1 / });
  assert.deepEqual(labels(resolve({ index, architectures, installed: [], install: [{ name: 'b' }] }).install), ['b 1']);
});

test('a search without end is cut short with a clear error', () => {
  // Nine pigeons and eight holes: no proof without counting is short (Haken, 1985).
  const holes = Array.from({ length: 8 }, (_, i) => i);
  const pigeons = Array.from({ length: 9 }, (_, i) => i);
  const seats = pigeons.flatMap((p) => holes.map((h) => entry(`p${p}-h${h} 1`, { provides: [`p${p}`, `h${h}`], conflicts: [`h${h}`] })));
  const app = entry('app 1', { depends: pigeons.map((p) => `p${p}`) });
  assert.throws(() => solve([app, ...seats], { install: ['app'], steps: 20_000 }), { code: 'unresolvable', message: /bound on steps/ });
});
