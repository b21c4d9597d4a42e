import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parsePath } from '../../../core/dag/path.ts';
import { checkLinks } from '../../../core/install/check-links.ts';
import type { Tree } from '../../../core/install/tree.ts';
import { MossError } from '../../../core/error.ts';

function treeOf(links: Record<string, string>): Tree {
  const system = Object.entries(links).map(([text, target]) => {
    const path = parsePath(text);
    assert.ok(path !== undefined);
    return { owner: 'p', entry: { type: 'symlink' as const, path, target } };
  });
  return { system, user: [] };
}

describe('links of a tree', () => {
  for (const [name, links] of Object.entries({
    'that stay inside by themselves': { 'usr/bin/a': '../lib/a', 'usr/lib64/ld': '/lib/ld' },
    'that go up to the root and down again': { 'usr/share/a/b': '../../../etc/b' },
    'that go through another link and stay inside': { 'usr/deep/er/link': '/usr', 'usr/x': 'deep/er/link/../etc' },
    'in a circle': { 'usr/a': 'b/../b', 'usr/b': 'a/../a' },
  })) {
    test(`${name} are taken`, () => checkLinks(treeOf(links)));
  }

  for (const [name, links] of Object.entries({
    'that lead out through a link to the top': { 'usr/a/b/c': '/', 'usr/x': 'a/b/c/../etc/passwd' },
    'that lead out through a link to usr': { 'usr/a/b/c/d': '/usr', 'usr/e': 'a/b/c/d/../../etc' },
    'that lead out through two others': { 'usr/a/b/c': '../d', 'usr/a/d': '/', 'usr/x': 'a/b/c/../../y' },
  })) {
    test(`${name} are refused, by name`, () => {
      assert.throws(
        () => checkLinks(treeOf(links)),
        (error) => error instanceof MossError && error.code === 'bad-path' && /leads out of the root/.test(error.message),
      );
    });
  }
});
