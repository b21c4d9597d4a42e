/**
 * Which packages to install, upgrade and remove so that a request is fulfilled and everything fits.
 *
 * The policy, each point weighing more than all that follow:
 * 1. What is asked for is done, what the user installed stays, essential packages stay; else it is an error. A package
 *    that declares that it takes the place of another (Conflicts with Replaces) may do so when it is asked for.
 *    Removing takes along what needs the removed, the user's own packages only if nothing else can serve them.
 * 2. Without an upgrade: automatic packages that are needed stay.
 * 3. Versions: the installed one, or the newest for what is new or to be upgraded. Never older than the installed one,
 *    unless the request names one (`=`, `<=`, `<<`).
 * 4. Alternatives: what is there or has to come anyway, then what is listed first; among providers, the one that names
 *    the fewest dependencies, then by name.
 * 5. With an upgrade: automatic packages stay.
 * 6. Packages that nothing needed before stay; recommendations are followed.
 */
import { MossError } from '../error.ts';
import { explain } from './resolver/explain.ts';
import { outcomeOf, type Run } from './resolver/outcome.ts';
import { Problem, takesPlaceOf } from './resolver/problem.ts';
import { reachable } from './resolver/reach.ts';
import type { InstalledPackage, Resolution, ResolveRequest } from './resolver/request.ts';
import { Search } from './resolver/search.ts';
import { OutOfSteps } from './resolver/solver.ts';

export type { Change, InstalledPackage, Package, Removal, Requirement, Resolution, ResolveRequest } from './resolver/request.ts';

/** Clauses looked at and decisions made: some seconds of work. A whole desktop takes about a hundredth of this. */
export const DEFAULT_STEPS = 50_000_000;

/**
 * Finds what to do. Pure and deterministic: the same request gives the same answer.
 *
 * @throws MossError `unresolvable` with the reasons in the words of the packages, one a line;
 *   `not-found` when what is to be removed or upgraded is not installed; `bad-index` and `bad-version` when a package
 *   that has to be considered is malformed
 */
export function resolve(request: ResolveRequest): Resolution {
  const { installed, install = [], remove = [], upgrade = [] } = request;
  const byName = new Map(installed.map((one) => [one.name, one]));
  for (const name of [...remove, ...(upgrade === 'all' ? [] : upgrade)]) {
    if (!byName.has(name)) throw new MossError('not-found', `${name} is not installed`, { data: { package: name } });
  }
  let explicit: ReadonlySet<string> = new Set(installed.filter((one) => one.explicit && !remove.includes(one.name)).map(({ name }) => name));
  if (remove.length > 0) {
    // What the removal takes along is found by itself first, so that nothing is removed for the sake of an install.
    const run = attempt({ ...request, install: [], upgrade: [] }, explicit, 'may-go');
    if (install.length === 0 && upgrade.length === 0) return outcomeOf(request, run);
    const left = new Set(run.chosen.map(({ name }) => name));
    explicit = new Set(Array.from(explicit).filter((name) => left.has(name)));
  }
  return outcomeOf(request, attempt(request, explicit, 'stay'));
}

/** Solves once, where the packages that the user asked for have to stay, or may go if they must. */
function attempt(request: ResolveRequest, explicit: ReadonlySet<string>, theirs: 'stay' | 'may-go'): Run {
  const { index, architectures, installed, install = [], remove = [], upgrade = [], recommends = false, allowEssential = false } = request;
  const upgradeAll = upgrade === 'all';
  const upgrading = new Set(upgradeAll ? [] : upgrade);
  const problem = new Problem({
    index,
    architectures,
    installed,
    upgrades: (name) => upgradeAll || upgrading.has(name),
    downgrades: install.some(({ relation }) => relation === '=' || relation === '<=' || relation === '<<'),
    steps: request.steps ?? DEFAULT_STEPS,
  });
  const assumptions = [...install.map((requirement) => problem.want(requirement)), ...remove.map((name) => problem.ban(name))];
  const asked = install.flatMap((requirement) => problem.universe.answers(requirement));
  const givesWay = ({ name }: InstalledPackage) => {
    const current = problem.universe.current(name);
    return current !== undefined && asked.some((one) => takesPlaceOf(one, current, problem.universe));
  };
  const first: number[] = [];
  const automatic: InstalledPackage[] = [];
  for (const one of installed) {
    if (one.essential && !allowEssential) assumptions.push(problem.keep(one, 'essential'));
    else if (remove.includes(one.name)) continue;
    else if (!explicit.has(one.name)) automatic.push(one);
    else if (theirs === 'may-go' || givesWay(one)) first.push(problem.keep(one, 'explicit'));
    else assumptions.push(problem.keep(one, 'explicit'));
  }
  const needed = reachable(installed, (one) => one.explicit || one.essential);
  const keeps = (some: readonly InstalledPackage[]) => some.map((one) => problem.keep(one, 'automatic'));
  const [used, unused] = [automatic.filter(({ name }) => needed.has(name)), automatic.filter(({ name }) => !needed.has(name))];
  const early = upgradeAll || upgrading.size > 0 ? [] : keeps(used);
  const late = early.length > 0 ? keeps(unused) : [...keeps(used), ...keeps(unused)];
  const search = new Search(problem, { first: [...first, ...early], last: late, recommends });
  try {
    const contradiction = problem.solver.solve(assumptions, search);
    if (contradiction !== undefined) throw explain(problem, contradiction);
  } catch (error) {
    if (!(error instanceof OutOfSteps)) throw error;
    throw new MossError('unresolvable', 'no answer was found within the bound on steps', {
      hint: 'Ask for less at once, or name versions (name=version).',
      cause: error,
    });
  }
  const chosen = problem.solver.trail.flatMap((literal) => problem.universe.solvable(literal) ?? []);
  const names = new Set(chosen.map(({ id }) => id));
  const picked = install.flatMap((requirement) => problem.universe.answers(requirement).find(({ id }) => names.has(id)) ?? []);
  return { problem, chosen, asked: new Set(picked.map(({ name }) => name)) };
}
