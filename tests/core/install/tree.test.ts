import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as assertProperty, constantFrom, property, tuple } from 'fast-check';
import { fileIdFromDigest } from '../../../core/dag/file-id.ts';
import type { Entry } from '../../../core/dag/entry.ts';
import type { PackagePath } from '../../../core/dag/path.ts';
import { buildTree, checkFolding, type TreePackage } from '../../../core/install/tree.ts';
import { MossError } from '../../../core/error.ts';

function path(text: string): PackagePath {
  return text as PackagePath;
}

function file(at: string, content = 1): Entry {
  return { type: 'file', path: path(at), mode: 0o644, id: fileIdFromDigest(new Uint8Array(32).fill(content), 5), size: 5 };
}

function directory(at: string): Entry {
  return { type: 'directory', path: path(at), mode: 0o755 };
}

function link(at: string, target: string): Entry {
  return { type: 'symlink', path: path(at), target };
}

function pack(name: string, entries: Entry[], more: Partial<TreePackage> = {}): TreePackage {
  return { name, entries, alternatives: [], replaces: () => false, ...more };
}

/** A package that offers itself as `awk`, with its manual page. */
function offer(name: string, priority: number): TreePackage {
  const slaves = [{ link: path('usr/share/man/awk.1'), name: 'awk.1', path: path(`usr/share/man/${name}.1`) }];
  return pack(name, [file(`usr/bin/${name}`), file(`usr/share/man/${name}.1`)], {
    alternatives: [{ link: path('usr/bin/awk'), name: 'awk', path: path(`usr/bin/${name}`), priority, slaves }],
  });
}

function conflict(...words: string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof MossError && error.code === 'conflict', String(error));
    for (const word of words) assert.ok(error.message.includes(word), error.message);
    return true;
  };
}

describe('the tree of a state', () => {
  it('holds the entries of all packages in path order, those of the user apart', () => {
    const { system, user } = buildTree([pack('b', [directory('usr'), file('usr/b'), file('etc/b.conf')]), pack('a', [directory('usr'), file('usr/a')])]);
    assert.deepEqual(system.map(({ entry, owner }) => [entry.path, owner]), [['usr', 'b'], ['usr/a', 'a'], ['usr/b', 'b']]);
    assert.deepEqual(user.map(({ entry }) => entry.path), ['etc/b.conf']);
  });

  it('is refused when two packages hold a path, naming both', () => {
    assert.throws(() => buildTree([pack('alpha', [file('usr/x')]), pack('beta', [file('usr/x', 2)])]), conflict('alpha', 'beta', '/usr/x'));
  });

  it('is refused for a directory in one package and a link in another', () => {
    assert.throws(() => buildTree([pack('alpha', [directory('usr/x')]), pack('beta', [link('usr/x', 'y')])]), conflict('alpha', 'beta', 'directory', 'symlink'));
  });

  it('is refused when something lies below a link of another package', () => {
    assert.throws(() => buildTree([pack('alpha', [link('usr/x', '../etc')]), pack('beta', [file('usr/x/passwd')])]), conflict('alpha', 'beta', '/usr/x'));
  });

  it('is refused when something lies below a file', () => {
    assert.throws(() => buildTree([pack('alpha', [file('usr/x')]), pack('beta', [file('usr/x/y/z')])]), conflict('/usr/x'));
  });

  it('lets a package take the files that it replaces, in either order', () => {
    const taker = pack('taker', [file('usr/x', 2)], { replaces: (other) => other === 'giver' });
    const giver = pack('giver', [file('usr/x', 1), file('usr/y')]);
    for (const packages of [[taker, giver], [giver, taker]]) {
      const { system } = buildTree(packages);
      assert.deepEqual(system.map(({ entry, owner }) => [entry.path, owner]), [['usr/x', 'taker'], ['usr/y', 'giver']]);
    }
  });

  it('has the alternative with the highest priority, with its slaves', () => {
    const { system } = buildTree([offer('mawk', 5), offer('gawk', 10)]);
    const links = system.flatMap(({ entry }) => (entry.type === 'symlink' ? [[entry.path, entry.target]] : []));
    assert.deepEqual(links, [['usr/bin/awk', '/usr/bin/gawk'], ['usr/share/man/awk.1', '/usr/share/man/gawk.1']]);
  });

  it('has no alternative for what is not installed, nor in place of a file', () => {
    const alternatives = [{ link: path('usr/bin/awk'), name: 'awk', path: path('usr/bin/gone'), priority: 1, slaves: [] }];
    assert.deepEqual(buildTree([pack('a', [file('usr/bin/a')], { alternatives })]).system.length, 1);
    const real = [{ link: path('usr/bin/a'), name: 'a', path: path('usr/bin/a'), priority: 1, slaves: [] }];
    assert.equal(buildTree([pack('a', [file('usr/bin/a')], { alternatives: real })]).system[0]?.entry.type, 'file');
  });

  it('is refused where names fold together on the file system', () => {
    const tree = buildTree([pack('a', [file('usr/README')]), pack('b', [file('usr/readme')])]);
    assert.throws(() => checkFolding(tree), conflict('README', 'readme'));
    assert.throws(() => checkFolding(buildTree([pack('a', [file('usr/\u00E9'), file('usr/e\u0301')])])), conflict('same'));
    checkFolding(buildTree([pack('a', [file('usr/a'), file('usr/b')])]));
  });

  it('has parents before what they hold, every path once, and nothing below a file, whatever the packages', () => {
    const names = constantFrom('usr', 'usr/a', 'usr/a/b', 'usr/a/b/c', 'usr/d', 'etc', 'etc/x', 'opt/y');
    const entry = tuple(names, constantFrom('file', 'directory', 'symlink')).map(([at, kind]) => (kind === 'file' ? file(at) : kind === 'directory' ? directory(at) : link(at, 'x')));
    assertProperty(
      property(array(array(entry, { maxLength: 5 }), { maxLength: 4 }), (packages) => {
        let tree: ReturnType<typeof buildTree>;
        try {
          tree = buildTree(packages.map((entries, i) => pack(`p${i}`, entries)));
        } catch (error) {
          assert.ok(error instanceof MossError && error.code === 'conflict');
          return;
        }
        const all = [...tree.system, ...tree.user];
        const kinds = new Map(all.map(({ entry: each }) => [each.path as string, each.type]));
        assert.equal(kinds.size, all.length);
        for (const at of kinds.keys()) {
          const slash = at.lastIndexOf('/');
          const parent = slash === -1 ? undefined : kinds.get(at.slice(0, slash));
          assert.ok(parent === undefined || parent === 'directory');
        }
      }),
    );
  });
});
