/** Which packages are there for the sake of others. */
import { parseDependency } from '../dependency.ts';
import { PackageSet } from './match.ts';
import type { Package } from './request.ts';

/**
 * The names of all packages that the roots need or recommend, directly or not, the roots among them. Of alternatives,
 * the first that is fulfilled counts: it is the one that is used. Recommendations count as they do for
 * `apt autoremove`, so that what came along with a package stays with it.
 */
export function reachable<P extends Package>(packages: readonly P[], isRoot: (one: P) => boolean): ReadonlySet<string> {
  const set = new PackageSet(packages);
  const open = packages.filter((one) => isRoot(one));
  const reached = new Set(open.map(({ name }) => name));
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    for (const dependency of [...one.depends, ...one.recommends].map((text) => parseDependency(text))) {
      const used = dependency.map((alternative) => set.fulfilling(alternative)).find((some) => some.length > 0) ?? [];
      for (const other of used) {
        if (reached.has(other.name)) continue;
        reached.add(other.name);
        open.push(other);
      }
    }
  }
  return reached;
}
