import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MossError } from '../../../core/error.ts';
import { type Alternative, formatDependency, parseDependency, parseProvide, satisfies, splitRelations } from '../../../core/repo/dependency.ts';

test('parses alternatives with relations and qualifiers', () => {
  assert.deepEqual(parseDependency('a (>= 1) | b:any|c:native (<< 2:3-4~)'), [
    { name: 'a', relation: '>=', version: '1' },
    { name: 'b', qualifier: 'any' },
    { name: 'c', qualifier: 'native', relation: '<<', version: '2:3-4~' },
  ]);
});

test('does not mind spaces, or their absence', () => {
  assert.deepEqual(parseDependency('  libc6(>=2.36)  '), [{ name: 'libc6', relation: '>=', version: '2.36' }]);
  assert.deepEqual(parseDependency('a ( = 1 )'), [{ name: 'a', relation: '=', version: '1' }]);
});

test('reads < and > as dpkg does, with equality', () => {
  assert.deepEqual(parseDependency('a (< 1) | b (> 1)'), [
    { name: 'a', relation: '<=', version: '1' },
    { name: 'b', relation: '>=', version: '1' },
  ]);
});

test('passes over restrictions to architectures and build profiles', () => {
  assert.deepEqual(parseDependency('a (>= 1) [amd64 !i386] <!nocheck>'), [{ name: 'a', relation: '>=', version: '1' }]);
  assert.deepEqual(parseDependency('a [amd64]'), [{ name: 'a' }]);
});

test('parses the capabilities of .stone', () => {
  assert.deepEqual(parseDependency('soname(libc.so.6(x86_64))'), [{ name: 'soname(libc.so.6(x86_64))' }]);
  assert.deepEqual(parseDependency('pkgconfig(gtk+-3.0) (>= 3) | binary(bash)'), [
    { name: 'pkgconfig(gtk+-3.0)', relation: '>=', version: '3' },
    { name: 'binary(bash)' },
  ]);
});

test('takes name(x) as x, which is what it means', () => {
  assert.deepEqual(parseDependency('name(bash)'), [{ name: 'bash' }]);
  assert.deepEqual(parseProvide('name(bash)'), { name: 'bash' });
});

test('parses provides, with = only', () => {
  assert.deepEqual(parseProvide('x (= 1)'), { name: 'x', version: '1' });
  assert.deepEqual(parseProvide('x'), { name: 'x' });
  assert.throws(() => parseProvide('x (>= 1)'), MossError);
});

test('splits a field at its commas, outside parentheses', () => {
  assert.deepEqual(splitRelations('a (>= 1),\n b | c,, d, cmake(x,y)'), ['a (>= 1)', 'b | c', 'd', 'cmake(x,y)']);
  assert.deepEqual(splitRelations(''), []);
});

test('refuses what is not a relation', () => {
  const wrong = ['', '|', 'a |', 'a (>= )', 'a (>= 1', 'a (=> 1)', 'a (~ 1)', 'a b', 'soname(x', 'UP CASE', '../x', 'a:', 'a:?', 'x(a|b)', 'name()', 'a (>= 1) junk', 'a\0', 'K(x)'];
  for (const text of wrong) {
    assert.throws(() => parseDependency(text), (error) => error instanceof MossError && error.code === 'bad-version', JSON.stringify(text));
  }
  assert.throws(() => parseDependency('a'.repeat(20_000)), MossError);
});

const name = fc.oneof(fc.constantFrom('a', 'libstdc++6', 'Xy_z', 'soname(libm.so.6(x86_64))'), fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{0,8}$/));
const version = fc.stringMatching(/^[0-9][0-9a-z.+~:-]{0,8}$/);
const relation = fc.constantFrom('<<', '<=', '=', '>=', '>>');
const alternative: fc.Arbitrary<Alternative> = fc.oneof(
  fc.record({ name }, { noNullPrototype: true }),
  fc.record({ name, relation, version }, { noNullPrototype: true }),
  fc.record({ name: fc.constantFrom('a', 'b-c'), qualifier: fc.constantFrom('any', 'arm64') }, { noNullPrototype: true }),
);

test('what is formatted parses to the same', () => {
  fc.assert(fc.property(fc.array(alternative, { minLength: 1, maxLength: 4 }), (dependency) => {
    assert.deepEqual(parseDependency(formatDependency(dependency)), dependency);
  }));
});

test('never fails but with a MossError', () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom('a', '(', ')', '|', ' ', '=', '<', '>', '1', ':', '[', ']', ',') }), (text) => {
    try {
      parseDependency(text);
    } catch (error) {
      assert.ok(error instanceof MossError);
    }
  }), { numRuns: 2000 });
});

test('satisfies each relation', () => {
  const have = { version: '2', release: 0 };
  const truth = { '<<': [false, false, true], '<=': [false, true, true], '=': [false, true, false], '>=': [true, true, false], '>>': [true, false, false] } as const;
  for (const [symbol, expected] of Object.entries(truth)) {
    for (const [i, wanted] of ['1', '2', '3'].entries()) {
      assert.equal(satisfies('deb', symbol as keyof typeof truth, wanted, have), expected[i], `2 ${symbol} ${wanted}`);
    }
  }
});

test('takes a version of .stone with or without its release', () => {
  const have = { version: '1.2', release: 7 };
  assert.ok(satisfies('stone', '=', '1.2', have));
  assert.ok(satisfies('stone', '=', '1.2-7', have));
  assert.ok(!satisfies('stone', '=', '1.2-8', have));
  assert.ok(satisfies('stone', '<<', '1.2-8', have));
  assert.ok(satisfies('stone', '=', '1-2', { version: '1-2', release: 5 }));
});
