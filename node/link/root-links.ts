/** The links at the top of a root: which there should be, and which are not as they should be. */
import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { USR_ALIASES } from '../../core/dag/path.ts';
import { topOf, USER_TOPS, type TreeEntry } from '../../core/install/tree.ts';

/** Names at the top that are links into `usr`, by where they lead. */
const ALIASES = new Map<string, string>(USR_ALIASES.map((alias) => [`usr/${alias}`, alias]));

/** The names at the top of a root that lead into the active state, and their targets. */
export function rootLinks(entries: Iterable<TreeEntry>): Map<string, string> {
  const wanted = new Map<string, string>([['usr', '.moss/current/usr']]);
  for (const alias of ['bin', 'sbin', 'lib', 'lib64']) wanted.set(alias, `usr/${alias}`);
  for (const { entry } of entries) {
    const top = topOf(entry.path);
    const alias = ALIASES.get(entry.path);
    if (alias !== undefined) wanted.set(alias, entry.path);
    if (!USER_TOPS.has(top) && !wanted.has(top)) wanted.set(top, `.moss/current/${top}`);
  }
  return wanted;
}

/** A link that is gone, that leads elsewhere, or in whose place something else is. */
export interface BrokenLink {
  name: string;
  target: string;
  problem: 'missing' | 'link' | 'type';
}

export function brokenLinks(root: string, entries: Iterable<TreeEntry>): BrokenLink[] {
  const broken: BrokenLink[] = [];
  for (const [name, target] of rootLinks(entries)) {
    const path = join(root, name);
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there === undefined) broken.push({ name, target, problem: 'missing' });
    else if (!there.isSymbolicLink()) broken.push({ name, target, problem: 'type' });
    else if (readlinkSync(path) !== target) broken.push({ name, target, problem: 'link' });
  }
  return broken;
}
