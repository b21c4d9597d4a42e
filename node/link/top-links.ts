/** The links at the top of a root and of a state: which there should be, and which are not as they should be. */
import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { USR_ALIASES } from '../../core/dag/path.ts';
import { topOf, USER_TOPS, type TreeEntry } from '../../core/install/tree.ts';

const ALIASES: ReadonlySet<string> = new Set(USR_ALIASES);
const USR = 'usr/';

/** The names at the top of a root that lead into the active state, and their targets. */
export function rootLinks(entries: Iterable<TreeEntry>): Map<string, string> {
  const wanted = new Map<string, string>([['usr', '.moss/current/usr']]);
  for (const alias of ['bin', 'sbin', 'lib', 'lib64']) wanted.set(alias, USR + alias);
  for (const { entry } of entries) {
    const top = topOf(entry.path);
    const alias = aliasOf(entry.path);
    if (alias !== undefined) wanted.set(alias, USR + alias);
    if (!USER_TOPS.has(top) && !wanted.has(top)) wanted.set(top, `.moss/current/${top}`);
  }
  return wanted;
}

/**
 * The names at the top of a state, and their targets. A state looks like a whole system: relative links that climb to the
 * top find `bin` and `etc` there, since the kernel takes `..` from where the state really lies.
 */
export function stateLinks(entries: Iterable<TreeEntry>): Map<string, string> {
  const wanted = new Map([...USER_TOPS].map((top) => [top, `../../../${top}`]));
  for (const { entry } of entries) {
    const alias = aliasOf(entry.path);
    if (alias !== undefined) wanted.set(alias, USR + alias);
  }
  return wanted;
}

/** The name at the top that leads to where a path lies. */
function aliasOf(path: string): string | undefined {
  if (!path.startsWith(USR)) return undefined;
  const end = path.indexOf('/', USR.length);
  const name = path.slice(USR.length, end === -1 ? undefined : end);
  return ALIASES.has(name) ? name : undefined;
}

/** A link that is gone, that leads elsewhere, or in whose place something else is. */
export interface BrokenLink {
  path: string;
  target: string;
  problem: 'missing' | 'link' | 'type';
}

export function brokenLinks(directory: string, wanted: ReadonlyMap<string, string>): BrokenLink[] {
  const broken: BrokenLink[] = [];
  for (const [name, target] of wanted) {
    const path = join(directory, name);
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there === undefined) broken.push({ path, target, problem: 'missing' });
    else if (!there.isSymbolicLink()) broken.push({ path, target, problem: 'type' });
    else if (readlinkSync(path) !== target) broken.push({ path, target, problem: 'link' });
  }
  return broken;
}
