/** From the packages of a solution to what is to be done. */
import { parseDependency } from '../dependency.ts';
import { compareNewestFirst } from '../index-entry.ts';
import { PackageSet } from './match.ts';
import type { Problem } from './problem.ts';
import { reachable } from './reach.ts';
import { Reasons } from './reasons.ts';
import type { Change, InstalledPackage, Package, Removal, Resolution, ResolveRequest } from './request.ts';
import type { Solvable } from './universe.ts';

export interface Run {
  readonly problem: Problem;
  /** The packages of the solution, in the order in which they were picked. */
  readonly chosen: readonly Solvable[];
  /** The names among them that were asked for. */
  readonly asked: ReadonlySet<string>;
}

export function outcomeOf(request: ResolveRequest, run: Run): Resolution {
  const explicitNow = (one: Solvable) => run.asked.has(one.name) || run.problem.universe.installed(one.name)?.explicit === true;
  const chosen = withoutSuperfluous(run, request.recommends === true);
  const packages = chosen.map((one) => one.package);
  const explicit = new Set(chosen.filter(explicitNow).map(({ name }) => name));
  const reached = reachable(packages, (one) => explicit.has(one.name) || one.essential);
  const byName = new Map(chosen.map((one) => [one.name, one]));
  const install: Resolution['install'][number][] = [];
  const upgrade: Change[] = [];
  const downgrade: Change[] = [];
  const keep: InstalledPackage[] = [];
  const remove: Removal[] = [];
  for (const one of chosen) {
    const from = run.problem.universe.installed(one.name);
    if (one.installed !== undefined) keep.push(one.installed);
    else if (one.candidate === undefined) continue;
    else if (from === undefined) install.push(one.candidate);
    else if (run.problem.universe.isDowngrade(one)) downgrade.push({ from, to: one.candidate });
    else upgrade.push({ from, to: one.candidate });
  }
  const reasons = new Reasons(request, packages);
  for (const one of request.installed) {
    if (!byName.has(one.name)) remove.push({ package: one, name: one.name, reason: reasons.of(one) });
  }
  return {
    install: install.toSorted(byNameAndVersion),
    upgrade: upgrade.toSorted((a, b) => byNameAndVersion(a.to, b.to)),
    downgrade: downgrade.toSorted((a, b) => byNameAndVersion(a.to, b.to)),
    remove: remove.toSorted((a, b) => byNameAndVersion(a.package, b.package)),
    keep: keep.toSorted(byNameAndVersion),
    heldBack: chosen.flatMap((one) => newestInsteadOf(one, request, run)).toSorted((a, b) => byNameAndVersion(a.to, b.to)),
    orphans: chosen.map(({ name }) => name).filter((name) => !reached.has(name)).toSorted(),
    explicit: Array.from(explicit).toSorted(),
  };
}

/**
 * Leaves out new packages that were picked for a need which, by the end, another one fulfils as well.
 */
function withoutSuperfluous({ chosen, asked, problem }: Run, recommends: boolean): readonly Solvable[] {
  const isRoot = ({ name }: Package) => asked.has(name) || problem.universe.installed(name) !== undefined;
  const set = new PackageSet(chosen.map((one) => one.package));
  const gone = new Set<Package>();
  const needsOf = (one: Package): readonly string[] => (recommends && !isRoot(one) ? [...one.depends, ...one.recommends] : one.depends);
  /** By package: who fulfils each of the needs that it fulfils, and who has that need. */
  const serves = new Map<Package, { of: Package; by: readonly Package[] }[]>();
  for (const { package: of } of chosen) {
    const needs = asked.has(of.name) && recommends ? [...of.depends, ...of.recommends] : needsOf(of);
    for (const text of needs) {
      const by = Array.from(new Set(parseDependency(text).flatMap((alternative) => set.fulfilling(alternative))));
      for (const one of by) {
        const served = serves.get(one);
        if (served === undefined) serves.set(one, [{ of, by }]);
        else served.push({ of, by });
      }
    }
  }
  for (const { package: one } of chosen.toReversed()) {
    if (isRoot(one)) continue;
    const isNeeded = (serves.get(one) ?? []).some(({ of, by }) => of !== one && !gone.has(of) && !by.some((other) => other !== one && !gone.has(other)));
    if (!isNeeded) gone.add(one);
  }
  const left = chosen.filter((one) => !gone.has(one.package));
  const reached = reachable(left.map((one) => one.package), isRoot);
  return left.filter(({ name }) => reached.has(name));
}

/** The newest version of a package that is to be upgraded, when it is not the one that was picked. */
function newestInsteadOf(one: Solvable, { upgrade = [] }: ResolveRequest, { problem: { universe } }: Run): Change[] {
  const from = universe.installed(one.name);
  if (from === undefined || (upgrade !== 'all' && !upgrade.includes(one.name))) return [];
  const [newest] = universe.named(one.name);
  return newest?.candidate === undefined || compareNewestFirst(newest.package, one.package) >= 0 ? [] : [{ from, to: newest.candidate }];
}

function byNameAndVersion(a: Package, b: Package): number {
  return (a.name < b.name ? -1 : Number(a.name > b.name)) || compareNewestFirst(a, b);
}
