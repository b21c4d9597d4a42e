import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MossError } from '../../../core/error.ts';
import { checkVersion, compareVersions, type Versioned } from '../../../core/repo/version.ts';
import { debianPackages } from './debian.ts';

const deb = (a: string, b: string) => Math.sign(compareVersions('deb', { version: a, release: 0 }, { version: b, release: 0 }));

test('orders versions of .deb as the policy says', () => {
  const ascending = ['~~', '~~a', '~', '', 'a'].map((part) => `1${part}`);
  ascending.push('1a1', '1ab', '1+', '1.0~rc1-1', '1.0', '1.0-0.1', '1.0-1', '1.0-1+b1', '1.2', '1.10', '2-1~bpo1', '2-1', '1:0.1', '2:0');
  for (const [i, a] of ascending.entries()) {
    for (const [j, b] of ascending.entries()) assert.equal(deb(a, b), Math.sign(i - j), `${a} and ${b}`);
  }
});

test('takes versions as equal that differ only in zeros', () => {
  for (const [a, b] of [['1.0', '1.00'], ['0:1', '1'], ['1-0', '1'], ['1.a', '1.a0'], ['1-00', '1-0']] as const) assert.equal(deb(a, b), 0);
});

test('compares numbers of any length by value', () => {
  assert.equal(deb(`1.${'9'.repeat(60)}`, `1.1${'0'.repeat(60)}`), -1);
  assert.equal(deb('20230101123456789012345678', '20230101123456789012345679'), -1);
});

test('refuses what dpkg refuses, and what would not be safe in a name', () => {
  for (const version of ['', ':1', 'a:1', '-1:1', '1:', '1-', '-1', '1 2', '1_2', '1/2', '1-2_3', '1\n', 'é', `1${'0'.repeat(300)}`, '99999999999:1']) {
    assert.throws(() => checkVersion('deb', version), (error) => error instanceof MossError && error.code === 'bad-version', JSON.stringify(version));
  }
  assert.throws(() => checkVersion('stone', 'a b'), MossError);
  checkVersion('stone', '1_2');
});

const order = (a: Versioned, b: Versioned) => Math.sign(compareVersions('stone', a, b));

test('orders .stone by source release, then by version text', () => {
  assert.equal(order({ version: '2.0', release: 3 }, { version: '1.0', release: 4 }), -1);
  assert.equal(order({ version: '1.10', release: 4 }, { version: '1.9', release: 4 }), 1);
  assert.equal(order({ version: '1.0', release: 4 }, { version: '1.00', release: 4 }), -1);
  assert.equal(order({ version: '1.0', release: 4 }, { version: '1.0', release: 4 }), 0);
});

const part = fc.array(fc.constantFrom('0', '1', '9', '10', 'a', 'B', 'z', '.', '+', '~', '-'), { maxLength: 6 }).map((parts) => parts.join(''));
const version = fc.tuple(fc.constantFrom('', '0:', '1:'), fc.constantFrom('0', '1', '01'), part, fc.constantFrom('', '-0', '-1', '-1~', '-a')).map((parts) => parts.join(''));
const valid = version.filter((text) => !text.endsWith('-'));

test('is a total order', () => {
  fc.assert(fc.property(valid, valid, valid, (a, b, c) => {
    assert.equal(deb(a, b), -deb(b, a) + 0);
    assert.equal(deb(a, a), 0);
    if (deb(a, b) <= 0 && deb(b, c) <= 0) assert.ok(deb(a, c) <= 0);
    if (deb(a, b) === 0) assert.equal(deb(a, c), deb(b, c));
  }), { numRuns: 2000 });
});

/** The versions of a Debian release, each once, in the order of their text, so that neighbours are alike. */
function realVersions(): string[] {
  return Array.from(new Set(Array.from(debianPackages().matchAll(/^Version: (\S+)$/gm), ([, text = '']) => text))).toSorted();
}

/** Real pairs, half of them neighbours and half from anywhere; then pairs that are cut and grown from them. */
function pairsOf(versions: readonly string[], count: number): [string, string][] {
  const at = (index: number) => versions[index % versions.length] ?? '';
  return Array.from({ length: count }, (_, i) => {
    const a = at(i * 7919);
    const other = i % 2 === 0 ? at(i * 7919 + 1 + (i % 3)) : at(i * 104_729 + 13);
    return [a, i % 5 === 0 ? `${a}${['~rc1', '+b1', '.0', 'a', '0'][(i / 5) % 5]}` : other];
  });
}

const hasDpkg = (() => {
  try {
    execFileSync('dpkg', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

test('agrees with the real dpkg --compare-versions', { skip: hasDpkg ? false : 'there is no dpkg on this machine' }, (context) => {
  const versions = realVersions();
  if (versions.length === 0) {
    context.skip('apt knows no packages on this machine');
    return;
  }
  const pairs = pairsOf(versions, Number(process.env['MOSS_VERSION_PAIRS'] ?? 3000));
  const directory = mkdtempSync(join(tmpdir(), 'moss-versions-'));
  try {
    const file = join(directory, 'pairs');
    const symbols = { '-1': 'lt', '0': 'eq', '1': 'gt' } as const;
    const lines = pairs.map(([a, b]) => `${a} ${symbols[String(deb(a, b)) as '-1' | '0' | '1']} ${b}\n`);
    writeFileSync(file, lines.join(''));
    const script = 'while [ $# -gt 0 ]; do dpkg --compare-versions "$1" "$2" "$3" || echo "$1 $2 $3"; shift 3; done';
    const output = execFileSync('xargs', ['-a', file, '-P2', '-n', '600', 'sh', '-c', script, 'sh'], { encoding: 'utf8', timeout: 120_000 });
    assert.equal(output, '', 'dpkg says otherwise');
    assert.ok(lines.some((line) => line.includes(' lt ')) && lines.some((line) => line.includes(' gt ')));
    context.diagnostic(`${pairs.length} pairs`);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
