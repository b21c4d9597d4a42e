import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { describe, it } from 'node:test';
import { array, assert as assertProperty, constantFrom, oneof, property, string } from 'fast-check';
import { byteLength, linkTarget, parsePath, RESERVED_TOP, USR_ALIASES, type PackagePath } from '../../../core/dag/path.ts';
import { MossError } from '../../../core/error.ts';

const name = oneof(constantFrom('..', '.', '', 'usr', 'bin', 'lib64', '.moss', 'a', 'b c', 'é', '\0', '\uFFFD', '...', '-rf', 'a\nb'), string({ unit: 'binary', maxLength: 6 }));
const anyPath = array(name, { maxLength: 8 }).map((names) => names.join('/'));

function parsed(text: string): PackagePath | undefined | MossError {
  try {
    return parsePath(text);
  } catch (error) {
    assert.ok(error instanceof MossError, String(error));
    assert.equal(error.code, 'bad-path');
    return error;
  }
}

describe('a path of a package', () => {
  it('never leads out of the root, into the directory of moss, or past an alias, whatever its text', () => {
    assertProperty(
      property(anyPath, (text) => {
        const path = parsed(text);
        if (path === undefined || path instanceof MossError) return;
        const resolved = posix.resolve('/root', path);
        assert.ok(resolved.startsWith('/root/'));
        assert.equal(posix.normalize(path), path);
        assert.ok(!path.includes('\0'));
        const [top = ''] = path.split('/');
        assert.notEqual(top, RESERVED_TOP);
        assert.ok(!USR_ALIASES.some((alias) => alias === top));
      }),
      { numRuns: 5000 },
    );
  });

  it('is the same below usr/, where plain ones are recognised at once, as in front of which ./ stands', () => {
    const below = oneof(name, constantFrom('x', 'share', '.a', 'a.', 'c++', 'a'.repeat(120), '~', ' ', '\t', '\u{7f}', '-'));
    assertProperty(
      property(array(below, { maxLength: 4 }), (names) => {
        const path = ['usr', ...names].join('/');
        const [plain, checked] = [parsed(path), parsed(`./${path}`)].map((each) => (each instanceof MossError ? 'refused' : each));
        assert.equal(plain, checked);
      }),
      { numRuns: 5000 },
    );
  });

  it('is in normal form once it was parsed', () => {
    assertProperty(
      property(anyPath, (text) => {
        const path = parsed(text);
        if (path !== undefined && !(path instanceof MossError)) assert.equal(parsePath(path), path);
      }),
      { numRuns: 2000 },
    );
  });

  for (const [text, path] of [
    ['./usr/bin/a', 'usr/bin/a'],
    ['/usr/bin/a', 'usr/bin/a'],
    ['bin/sh', 'usr/bin/sh'],
    ['./lib64/ld.so', 'usr/lib64/ld.so'],
    ['sbin', 'usr/sbin'],
    ['usr//share/./x/', 'usr/share/x'],
    ['library/x', 'library/x'],
    ['.', undefined],
    ['./', undefined],
    ['/', undefined],
  ] as const) {
    it(`${text} is ${path ?? 'the root itself'}`, () => {
      assert.equal(parsePath(text), path);
    });
  }

  it('has its bytes counted as UTF-8', () => {
    assertProperty(property(string({ unit: 'grapheme' }), (text) => assert.equal(byteLength(text), Buffer.byteLength(text))));
  });
});

describe('the target of a link', () => {
  it('never leads above the root, whatever its text', () => {
    assertProperty(
      property(anyPath, anyPath, (at, target) => {
        const path = parsed(at);
        if (path === undefined || path instanceof MossError) return;
        let relative: string;
        try {
          relative = linkTarget(path, target);
        } catch (error) {
          assert.ok(error instanceof MossError && error.code === 'bad-path');
          return;
        }
        assert.ok(!relative.startsWith('/'));
        // Deep inside, so that climbing too far shows.
        const resolved = posix.resolve('/a/b/root', posix.dirname(path), relative);
        assert.ok(resolved === '/a/b/root' || resolved.startsWith('/a/b/root/'), resolved);
      }),
      { numRuns: 5000 },
    );
  });

  for (const [at, target, relative] of [
    ['usr/bin/awk', '/etc/alternatives/awk', '../../etc/alternatives/awk'],
    ['usr/bin/awk', 'mawk', 'mawk'],
    ['usr/lib/x', '../../var/x', '../../var/x'],
    ['usr/top', '/', '../.'],
  ] as const) {
    it(`${target} at ${at} becomes ${relative}`, () => {
      const path = parsePath(at);
      assert.ok(path);
      assert.equal(linkTarget(path, target), relative);
    });
  }
});
