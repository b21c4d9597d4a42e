import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry, FileEntry } from '../../../core/dag/entry.ts';
import { fileIdFromDigest, type FileId } from '../../../core/dag/file-id.ts';
import type { PackagePath } from '../../../core/dag/path.ts';
import { leavingEntries, planConfiguration, planRemoval, type Observed } from '../../../core/install/configuration.ts';
import type { TreeEntry } from '../../../core/install/tree.ts';

const at = 'etc/x.conf' as PackagePath;

function idOf(content: number): FileId {
  return fileIdFromDigest(new Uint8Array(32).fill(content), 5);
}

function file(content: number): FileEntry {
  return { type: 'file', path: at, mode: 0o644, id: idOf(content), size: 5 };
}

function tree(...entries: Entry[]): TreeEntry[] {
  return entries.map((entry) => ({ entry, owner: 'x' }));
}

const directory: Entry = { type: 'directory', path: at, mode: 0o755 };
const link: Entry = { type: 'symlink', path: at, target: 'a' };
const there = (content: number): Observed => ({ kind: 'file', id: idOf(content) });
const none: Observed = { kind: 'none' };

/** What the package had, has now, and what is on disk (contents as numbers): what is to be done (Debian policy 10.7.3). */
const RULES: [name: string, before: TreeEntry[], after: TreeEntry[], observed: Observed, steps: string[], kept: string[]][] = [
  ['a new file is written', [], tree(file(1)), none, ['write'], []],
  ['a new file that is there already with the same content is left', [], tree(file(1)), there(1), [], []],
  ['a new file where the user has another goes beside it', [], tree(file(1)), there(9), ['beside'], []],
  ['an unmodified file is replaced', tree(file(1)), tree(file(2)), there(1), ['write'], []],
  ['a modified file stays, and the new one goes beside it', tree(file(1)), tree(file(2)), there(9), ['beside'], []],
  ['a modified file of which nothing new came stays without a word', tree(file(1)), tree(file(1)), there(9), [], []],
  ['a modified file that is what the new one is stays', tree(file(1)), tree(file(2)), there(2), [], []],
  ['a file that the user deleted stays deleted', tree(file(1)), tree(file(2)), none, [], []],
  ['an unmodified file that no package has any more goes', tree(file(1)), [], there(1), ['delete'], []],
  ['a modified file that no package has any more is kept', tree(file(1)), [], there(9), [], [at]],
  ['a deleted file that no package has any more is forgotten', tree(file(1)), [], none, [], []],
  ['a directory of the user where a file should be has the file beside it', [], tree(file(1)), { kind: 'directory' }, ['beside'], []],
  ['a new directory is made', [], tree({ type: 'directory', path: at, mode: 0o755 }), none, ['directory'], []],
  ['a directory that no package has any more goes if it is empty', tree({ type: 'directory', path: at, mode: 0o755 }), [], { kind: 'directory' }, ['rmdir'], []],
  ['a new link is made', [], tree({ type: 'symlink', path: at, target: 'a' }), none, ['symlink'], []],
  ['an unmodified link is replaced', tree({ type: 'symlink', path: at, target: 'a' }), tree({ type: 'symlink', path: at, target: 'b' }), { kind: 'symlink', target: 'a' }, ['symlink'], []],
  ['a link that the user changed stays', tree({ type: 'symlink', path: at, target: 'a' }), tree({ type: 'symlink', path: at, target: 'b' }), { kind: 'symlink', target: 'mine' }, [], []],
  ['a link to an absolute path is unmodified where it leads there from inside of the root', tree({ type: 'symlink', path: at, target: '/usr/a' }), tree({ type: 'symlink', path: at, target: '/usr/b' }), { kind: 'symlink', target: '../usr/a' }, ['symlink'], []],
  ['so it goes with its package', tree({ type: 'symlink', path: at, target: '/usr/a' }), [], { kind: 'symlink', target: '../usr/a' }, ['delete'], []],
  ['a link that no package has any more goes', tree({ type: 'symlink', path: at, target: 'a' }), [], { kind: 'symlink', target: 'a' }, ['delete'], []],
  ['an unmodified file goes where a directory is to be', tree(file(1)), tree(directory), there(1), ['delete', 'directory'], []],
  ['a modified file stays where a directory is to be, and is told of', tree(file(1)), tree(directory), there(9), [], [at]],
  ['an unmodified link goes where a directory is to be', tree(link), tree(directory), { kind: 'symlink', target: 'a' }, ['delete', 'directory'], []],
  ['a directory goes where a file is to be', tree(directory), tree(file(1)), { kind: 'directory' }, ['rmdir', 'write'], []],
  ['a directory goes where a link is to be', tree(directory), tree(link), { kind: 'directory' }, ['rmdir', 'symlink'], []],
  ['an unmodified file is replaced by a link', tree(file(1)), tree(link), there(1), ['symlink'], []],
  ['an unmodified link is replaced by a file', tree(link), tree(file(1)), { kind: 'symlink', target: 'a' }, ['write'], []],
  ['a link that the user changed stays where a file is to be', tree(link), tree(file(1)), { kind: 'symlink', target: 'mine' }, ['beside'], []],
];

describe('configuration', () => {
  for (const [name, before, after, observed, steps, kept] of RULES) {
    it(`: ${name}`, () => {
      const removal = planRemoval(leavingEntries(before, after), () => observed);
      const left = removal.steps.length > 0 ? none : observed;
      assert.deepEqual([...removal.steps, ...planConfiguration(before, after, () => left)].map((step) => step.do), steps);
      assert.deepEqual(removal.kept, kept);
    });
  }
});
