/** Puts entries of a state right, each by one rename; their files are in the store by now. */
import { chmodSync, chownSync, lstatSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Entry } from '../../core/dag/entry.ts';
import { linkTarget } from '../../core/dag/path.ts';
import { directoryMode } from '../link/expected.ts';
import { linkFiles } from '../link/link-files.ts';
import { specialOf } from '../link/state-tree.ts';
import { isExecutable } from '../store/modes.ts';
import { linkMethod } from './apply.ts';
import type { System } from './system.ts';

export function relink(system: System, number: number, entries: Iterable<Entry>): void {
  const { layout } = system;
  const state = layout.state(number);
  const isRoot = process.getuid?.() === 0 && statSync(layout.moss).uid === 0;
  const method = linkMethod(system);
  for (const entry of entries) {
    const path = join(state, entry.path);
    clearWay(state, entry.path);
    if (entry.type === 'directory') {
      if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) rmSync(path, { force: true, recursive: true });
      mkdirSync(path, { recursive: true });
      if (process.getuid?.() === 0) {
        const { uid, gid } = isRoot && entry.owner !== undefined ? entry.owner : statSync(state);
        chownSync(path, uid, gid);
      }
      chmodSync(path, directoryMode(entry, isRoot));
      continue;
    }
    const temporary = `${path}.moss-tmp`;
    rmSync(temporary, { force: true, recursive: true });
    if (entry.type === 'symlink') symlinkSync(linkTarget(entry.path, entry.target), temporary);
    else {
      const link = { from: layout.stored(entry.id, isExecutable(entry.mode)), to: temporary, special: specialOf(entry.mode, entry.owner, isRoot) };
      linkFiles(method, [link]);
    }
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) rmSync(path, { recursive: true });
    renameSync(temporary, path);
    // Between two names of one file, rename(2) does nothing.
    rmSync(temporary, { force: true });
  }
}

/** Makes the directories above a path, where something else took their place. */
function clearWay(state: string, path: string): void {
  const parent = dirname(path);
  if (parent === '.') return;
  clearWay(state, parent);
  const full = join(state, parent);
  const there = lstatSync(full, { throwIfNoEntry: false });
  if (there?.isDirectory() === true) return;
  if (there !== undefined) rmSync(full, { force: true });
  mkdirSync(full);
}
