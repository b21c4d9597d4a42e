import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDependency } from '../../../core/repo/dependency.ts';
import { MossError } from '../../../core/error.ts';
import { type InstalledPackage, resolve } from '../../../core/repo/resolver.ts';
import { editDistance, similarNames } from '../../../core/repo/resolver/suggest.ts';
import { entry, indexOf, installed } from './universe.ts';

function failure(entries: Parameters<typeof indexOf>, wanted: string[], here: InstalledPackage[] = [], remove: string[] = []): MossError {
  try {
    resolve({ index: indexOf(...entries), architectures: ['amd64', 'all'], installed: here, install: wanted.flatMap((text) => parseDependency(text)), remove });
  } catch (error) {
    assert.ok(error instanceof MossError, String(error));
    assert.equal(error.code, 'unresolvable');
    return error;
  }
  return assert.fail('it was resolved');
}

const explained = (...request: Parameters<typeof failure>) => failure(...request).message.split('\n');

test('a dependency that is too new', () => {
  assert.deepEqual(explained([entry('A 1', { depends: ['B (>= 2)'] }), entry('B 1.9')], ['A']), ['A needs B (>= 2), the repository has 1.9']);
});

test('a dependency that nobody has', () => {
  assert.deepEqual(explained([entry('A 1', { depends: ['C'] })], ['A']), ['A needs C, which no repository has']);
  assert.deepEqual(explained([entry('A 1', { depends: ['C | D'] })], ['A']), ['A needs C | D, none of which any repository has']);
});

test('each alternative has its own reason', () => {
  const entries = [entry('A 1', { depends: ['B (>= 2) | C | D'] }), entry('B 1'), entry('D 1', { architecture: 'arm64' })] as const;
  assert.deepEqual(explained([...entries], ['A']), ['A needs B (>= 2) | C | D; of B the repository has 1; D is for arm64 only, this system is amd64; no repository has C']);
});

test('a package for another system', () => {
  assert.deepEqual(explained([entry('X 1', { architecture: 'arm64' })], ['X']), ['X is for arm64 only, this system is amd64']);
  assert.deepEqual(explained([entry('A 1', { depends: ['X'] }), entry('X 1', { architecture: 'arm64' })], ['A']), ['A needs X, which is for arm64 only, this system is amd64']);
});

test('a chain from what was asked for to what is missing', () => {
  const entries = [entry('a 1', { depends: ['x', 'b'] }), entry('x 1'), entry('b 1', { depends: ['c'] }), entry('c 1', { depends: ['d (>= 5)'] }), entry('d 4')] as const;
  assert.deepEqual(explained([...entries], ['a']), ['a needs b', 'b needs c', 'c needs d (>= 5), the repository has 4']);
});

test('a conflict deep within, and nothing that has no part in it', () => {
  const entries = [entry('app 1', { depends: ['x', 'a', 'd'] }), entry('x 1'), entry('a 1', { conflicts: ['b'] }), entry('d 1', { depends: ['b', 'x'] }), entry('b 1')] as const;
  assert.deepEqual(explained([...entries], ['app']), ['app needs a', 'app needs d', 'a conflicts with b, which d needs', 'd needs b']);
});

test('two that need different versions of a third', () => {
  const entries = [entry('a 1', { depends: ['b (= 1)'] }), entry('d 1', { depends: ['b (= 2)'] }), entry('b 1'), entry('b 2')] as const;
  assert.deepEqual(explained([...entries], ['a', 'd']), ['a needs b (= 1)', 'd needs b (= 2)']);
});

test('versions are told apart where they need different things, and only there', () => {
  assert.deepEqual(explained([entry('a 1', { depends: ['b (= 1)'] }), entry('a 2', { depends: ['b (= 2)'] }), entry('b 3')], ['a']), [
    'a 2 needs b (= 2), the repository has 3', 'a 1 needs b (= 1), the repository has 3',
  ]);
  assert.deepEqual(explained([entry('a 1', { depends: ['b'] }), entry('a 2', { depends: ['b'] })], ['a']), ['a needs b, which no repository has']);
});

test('a version that is not there', () => {
  assert.deepEqual(explained([entry('a 1'), entry('a 2')], ['a (= 3)']), ['you asked for a (= 3), the repository has 2, 1']);
});

test('what the user installed before', () => {
  const app = entry('app 1', { depends: ['lib (<< 2)'] });
  const error = failure([app, entry('lib 2'), entry('new 1', { depends: ['lib (>= 2)'] })], ['new'], [installed(app, true), installed(entry('lib 1'), false)]);
  assert.deepEqual(error.message.split('\n'), ['new needs lib (>= 2)', 'app needs lib (<< 2)', 'app is installed because you asked for it, and stays']);
  assert.equal(error.hint, 'It would be possible without app: moss remove app');
});

test('a removal in the way of an installation', () => {
  assert.deepEqual(explained([entry('a 1', { depends: ['b'] }), entry('b 1')], ['a'], [installed(entry('b 1'), true)], ['b']), ['a needs b', 'you asked to remove b']);
});

test('what nobody has may be new: the index of this machine may be older', () => {
  const hint = /moss repo update/;
  assert.match(failure([entry('A 1', { depends: ['C'] })], ['A']).hint ?? '', hint);
  assert.match(failure([entry('A 1', { depends: ['B (>= 2)'] }), entry('B 1.9')], ['A']).hint ?? '', hint);
  assert.match(failure([entry('a 1')], ['a (= 3)']).hint ?? '', hint);
  assert.match(failure([entry('a 1')], ['something']).hint ?? '', hint);
  assert.equal(failure([entry('a 1', { depends: ['b (= 1)'] }), entry('d 1', { depends: ['b (= 2)'] }), entry('b 1'), entry('b 2')], ['a', 'd']).hint, undefined);
});

test('a misspelt name', () => {
  const error = failure([entry('ripgrep 1'), entry('grep 1')], ['ripgerp']);
  assert.equal(error.message, 'no repository has ripgerp');
  assert.equal(error.hint, 'Did you mean ripgrep?');
  assert.match(failure([entry('a 1')], ['something']).hint ?? '', /search/);
});

test('edit distance counts a swap as one', () => {
  assert.equal(editDistance('ripgerp', 'ripgrep', 2), 1);
  assert.equal(editDistance('', 'ab', 2), 2);
  assert.equal(editDistance('same', 'same', 2), 0);
  assert.ok(editDistance('abcdef', 'uvwxyz', 2) > 2);
  assert.deepEqual(similarNames('pyhton3', ['python3', 'python2', 'perl']), ['python3', 'python2']);
});
