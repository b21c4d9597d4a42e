/**
 * Symbolic links that lead out of the root together, although each looks harmless by itself: `..` counts from where a
 * link really leads, not from what its text says.
 */
import { USR_ALIASES, type PackagePath } from '../dag/path.ts';
import { MossError } from '../error.ts';
import type { Tree, TreeEntry } from './tree.ts';

/** Links in a row, as the kernel follows them (`MAXSYMLINKS`). */
const MOST_LINKS = 40;

/** @throws MossError `bad-path`, naming the link and its package */
export function checkLinks(tree: Tree): void {
  const links = new Map<string, string>();
  for (const alias of USR_ALIASES) links.set(alias, `usr/${alias}`);
  const rows: (TreeEntry & { path: PackagePath; target: string })[] = [];
  for (const row of [...tree.system, ...tree.user]) {
    if (row.entry.type !== 'symlink') continue;
    links.set(row.entry.path, row.entry.target);
    rows.push({ ...row, path: row.entry.path, target: row.entry.target });
  }
  for (const { path, target, owner } of rows) {
    // Without a step upwards there is no way out.
    if (!target.includes('..') || staysInside(path, links)) continue;
    throw new MossError('bad-path', `/${path} of ${owner} leads out of the root, together with other links`, {
      hint: 'Such packages are broken or hostile: tell their publisher.',
      data: { path, package: owner },
    });
  }
}

/** Walks a path as the kernel does. Links in circles lead nowhere, so not outside either. */
function staysInside(path: string, links: ReadonlyMap<string, string>): boolean {
  const rest = path.split('/');
  let at: string[] = [];
  for (let followed = 0; rest.length > 0; ) {
    const name = rest.shift();
    if (name === undefined || name === '' || name === '.') continue;
    if (name === '..') {
      if (at.length === 0) return false;
      at.pop();
      continue;
    }
    at.push(name);
    const target = links.get(at.join('/'));
    if (target === undefined) continue;
    if (++followed > MOST_LINKS) return true;
    at = target.startsWith('/') ? [] : at.slice(0, -1);
    rest.unshift(...target.split('/'));
  }
  return true;
}
