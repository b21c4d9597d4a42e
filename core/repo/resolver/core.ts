/** The smallest set of clauses that still contradict each other: what an explanation has to tell, and no more. */
import { type Guide, OutOfSteps, Solver } from './solver.ts';

/** Steps of the solver to spend on making an explanation shorter; past them, it is only longer than it need be. */
const STEPS = 5_000_000;

/**
 * Leaves out clauses, in ever smaller runs, as long as the rest cannot be fulfilled either.
 *
 * @param clauses by any key; together with `assumptions` they have no solution
 * @returns keys of a subset, in the same order, from which nothing can be left out
 */
export function minimalCore(clauses: ReadonlyMap<number, readonly number[]>, assumptions: readonly number[]): number[] {
  let core = Array.from(clauses.keys());
  let steps = STEPS;
  for (let run = Math.max(1, core.length >> 1); ; run >>= 1) {
    for (let start = 0; start < core.length && steps > 0; ) {
      const rest = [...core.slice(0, start), ...core.slice(start + run)];
      const { contradicts, stepsLeft } = check(rest.map((key) => clauses.get(key) ?? []), assumptions, steps);
      // Setting up costs as well.
      steps = stepsLeft - rest.length;
      if (contradicts) core = rest;
      else start += run;
    }
    if (run <= 1) return core;
  }
}

function check(clauses: readonly (readonly number[])[], assumptions: readonly number[], steps: number): { contradicts: boolean; stepsLeft: number } {
  const solver = new Solver(steps);
  const variables = new Map<number, number>();
  const literalOf = (literal: number) => {
    const known = variables.get(Math.abs(literal)) ?? solver.newVariable();
    variables.set(Math.abs(literal), known);
    return literal < 0 ? -known : known;
  };
  clauses.forEach((clause, i) => solver.addClause(clause.map((literal) => literalOf(literal)), i));
  const assumed = assumptions.map((literal) => literalOf(literal));
  try {
    const contradicts = solver.solve(assumed, new AllFalse(solver, variables.size)) !== undefined;
    return { contradicts, stepsLeft: solver.stepsLeft };
  } catch (error) {
    if (error instanceof OutOfSteps) return { contradicts: false, stepsLeft: 0 };
    throw error;
  }
}

/** Tries for every variable that it is false. */
class AllFalse implements Guide {
  readonly #solver: Solver;
  readonly #count: number;
  constructor(solver: Solver, count: number) {
    this.#solver = solver;
    this.#count = count;
  }
  expand(): void {}
  mark(): void {}
  undo(): void {}
  decide(): number | undefined {
    for (let variable = 1; variable <= this.#count; variable++) if (this.#solver.value(variable) === 0) return -variable;
    return undefined;
  }
}
