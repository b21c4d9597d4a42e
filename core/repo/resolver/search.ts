/**
 * In which order things are tried, which is the policy of the resolver: a solver that decides in this order finds the
 * solution whose first differing decision is the preferred one.
 */
import type { Problem } from './problem.ts';
import { parseRelations } from './universe.ts';
import type { Guide } from './solver.ts';

export interface Preferences {
  /** Goals to reach if at all possible, before any version is chosen; the earlier weigh more. */
  readonly first: readonly number[];
  /** Goals to reach if nothing else has to give way for them. */
  readonly last: readonly number[];
  /** Whether new packages bring along what they recommend. */
  readonly recommends: boolean;
}

/** How far each pass has come; a pass never looks again at what it has passed, unless decisions are undone. */
interface Progress {
  first: number;
  /** Needs that only leave the version open, along the trail. */
  versions: number;
  /** Needs that leave open which package, along the trail. */
  choices: number;
  last: number;
  recommends: number;
}

export class Search implements Guide {
  readonly #problem: Problem;
  readonly #preferences: Preferences;
  #progress: Progress = { first: 0, versions: 0, choices: 0, last: 0, recommends: 0 };
  readonly #marks: Progress[] = [];
  readonly #recommended = new Map<number, readonly (readonly number[])[]>();

  constructor(problem: Problem, preferences: Preferences) {
    this.#problem = problem;
    this.#preferences = preferences;
  }

  expand(variable: number): void {
    this.#problem.expand(variable);
  }

  mark(): void {
    this.#marks.push({ ...this.#progress });
  }

  undo(count: number): void {
    const mark = this.#marks[count];
    if (mark !== undefined) this.#progress = mark;
    this.#marks.length = Math.min(this.#marks.length, count);
  }

  /**
   * Versions are settled before choices between packages, since what must be there anyhow often settles the choice:
   * that is what keeps the number of new packages small.
   */
  decide(): number | undefined {
    const progress = this.#progress;
    const { first, last, recommends } = this.#preferences;
    const goal = this.#openGoal(first, 'first');
    if (goal !== undefined) return goal;
    for (; progress.versions < this.#problem.solver.trail.length; progress.versions++) {
      const open = this.#openNeed(progress.versions, true);
      if (open !== undefined) return open;
    }
    for (; progress.choices < this.#problem.solver.trail.length; progress.choices++) {
      const open = this.#openNeed(progress.choices, false);
      if (open !== undefined) return open;
    }
    return this.#openGoal(last, 'last') ?? (recommends ? this.#openRecommendation() : undefined);
  }

  #openGoal(goals: readonly number[], pass: 'first' | 'last'): number | undefined {
    const progress = this.#progress;
    for (; progress[pass] < goals.length; progress[pass]++) {
      const goal = goals[progress[pass]] ?? 0;
      if (this.#problem.solver.value(goal) === 0) return goal;
    }
    return undefined;
  }

  /** The best open candidate of a need that nothing fulfils yet, of what became true at this place of the trail. */
  #openNeed(at: number, oneName: boolean): number | undefined {
    const { solver } = this.#problem;
    const literal = solver.trail[at] ?? 0;
    if (literal < 0) return undefined;
    for (const need of this.#problem.needs(literal)) {
      if (need.oneName !== oneName) continue;
      const open = this.#best(need.candidates);
      if (open !== undefined) return open;
    }
    return undefined;
  }

  #best(candidates: readonly number[]): number | undefined {
    const { solver } = this.#problem;
    let open: number | undefined;
    for (const candidate of candidates) {
      const value = solver.value(candidate);
      if (value > 0) return undefined;
      if (value === 0) open ??= candidate;
    }
    return open;
  }

  #openRecommendation(): number | undefined {
    const { trail } = this.#problem.solver;
    const progress = this.#progress;
    for (; progress.recommends < trail.length; progress.recommends++) {
      for (const candidates of this.#recommendationsOf(trail[progress.recommends] ?? 0)) {
        const open = this.#best(candidates);
        if (open !== undefined) return open;
      }
    }
    return undefined;
  }

  #recommendationsOf(literal: number): readonly (readonly number[])[] {
    let recommended = this.#recommended.get(literal);
    if (recommended === undefined) {
      const solvable = this.#problem.universe.solvable(literal);
      // A name that is installed in any version was decided about when it was new.
      const isNew = solvable !== undefined && this.#problem.universe.installed(solvable.name) === undefined;
      const dependencies = isNew ? parseRelations(solvable.package, solvable.package.recommends) : [];
      recommended = dependencies.map((dependency) => this.#problem.candidates(dependency).map(({ id }) => id));
      this.#recommended.set(literal, recommended);
    }
    return recommended;
  }
}
