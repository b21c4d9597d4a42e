/** A request as clauses over packages. The clauses of a package are made when the search first picks it. */
import { type Alternative, type Dependency, formatAlternative, parseDependency } from '../dependency.ts';
import type { InstalledPackage, Requirement } from './request.ts';
import { Solver } from './solver.ts';
import { parseRelations, type Solvable, Universe, type UniverseOptions } from './universe.ts';

export type KeepReason = 'explicit' | 'essential' | 'automatic';

/** What a clause says, for explaining it. */
export type Origin =
  | { readonly kind: 'wanted'; readonly requirement: Requirement }
  | { readonly kind: 'kept'; readonly name: string; readonly why: KeepReason }
  | { readonly kind: 'unwanted'; readonly of: Solvable }
  | { readonly kind: 'needs'; readonly of: Solvable; readonly dependency: Dependency }
  | { readonly kind: 'excludes'; readonly of: Solvable; readonly other: Solvable; readonly field: 'conflicts' | 'breaks'; readonly relation: Alternative }
  | { readonly kind: 'one-version'; readonly of: Solvable; readonly other: Solvable }
  | { readonly kind: 'no-downgrade'; readonly of: Solvable };

/** When `of` is true, one of `candidates` has to be; the earlier are preferred. */
export interface Need {
  readonly candidates: readonly number[];
  /** Whether all candidates are versions of the same package. */
  readonly oneName: boolean;
}

export interface ProblemOptions extends Omit<UniverseOptions, 'newVariable'> {
  /** Whether installed packages may be replaced by older versions. */
  downgrades: boolean;
  steps: number;
}

const NO_NEEDS: readonly Need[] = [];

export class Problem {
  readonly solver: Solver;
  readonly universe: Universe;
  readonly #downgrades: boolean;
  readonly #origins: Origin[] = [];
  readonly #clauses: (readonly number[])[] = [];
  readonly #needs = new Map<number, readonly Need[]>();
  readonly #candidates = new Map<string, readonly Solvable[]>();

  constructor(options: ProblemOptions) {
    this.solver = new Solver(options.steps);
    this.universe = new Universe({ ...options, newVariable: () => this.solver.newVariable() });
    this.#downgrades = options.downgrades;
  }

  /** What has to be true when this variable is. */
  needs(variable: number): readonly Need[] {
    return this.#needs.get(variable) ?? NO_NEEDS;
  }

  origin(id: number): Origin | undefined {
    return this.#origins[id];
  }

  /** The literals of the clause with this origin. */
  clause(id: number): readonly number[] {
    return this.#clauses[id] ?? [];
  }

  /** A variable that, assumed, means: what is required will be there. */
  want(requirement: Requirement): number {
    return this.#goal({ kind: 'wanted', requirement }, this.universe.answers(requirement));
  }

  /** A variable that, assumed, means: some version of this installed package will be there. */
  keep({ name }: InstalledPackage, why: KeepReason): number {
    return this.#goal({ kind: 'kept', name, why }, this.universe.named(name));
  }

  /** A variable that, assumed, means: no version of this package will be there. */
  ban(name: string): number {
    const variable = this.solver.newVariable();
    for (const of of this.universe.named(name)) this.#add({ kind: 'unwanted', of }, [-variable, -of.id]);
    return variable;
  }

  /** Adds the clauses of a package that has been picked. */
  expand(variable: number): void {
    const of = this.universe.solvable(variable);
    if (of === undefined) return;
    if (!this.#downgrades && this.universe.isDowngrade(of)) this.#add({ kind: 'no-downgrade', of }, [-of.id]);
    for (const other of this.universe.named(of.name)) {
      if (other !== of) this.#add({ kind: 'one-version', of, other }, [-of.id, -other.id]);
    }
    const needs: Need[] = [];
    for (const dependency of parseRelations(of.package, of.package.depends)) {
      const candidates = this.candidates(dependency);
      // What a package provides itself, it need not get elsewhere.
      if (!candidates.includes(of)) needs.push(this.#need({ kind: 'needs', of, dependency }, of.id, candidates));
    }
    this.#needs.set(of.id, needs);
    for (const field of ['conflicts', 'breaks'] as const) {
      for (const relation of parseRelations(of.package, of.package[field]).flat()) {
        for (const other of this.universe.matches(relation)) {
          // Another version of itself cannot be there anyhow, and itself it never excludes (policy 7.6).
          if (other.name !== of.name) this.#add({ kind: 'excludes', of, other, field, relation }, [-of.id, -other.id]);
        }
      }
    }
  }

  /** What fulfils a dependency, best first. */
  candidates(dependency: Dependency): readonly Solvable[] {
    const key = dependency.map((alternative) => formatAlternative(alternative)).join('|');
    let candidates = this.#candidates.get(key);
    if (candidates === undefined) {
      candidates = this.universe.candidatesFor(dependency);
      this.#candidates.set(key, candidates);
    }
    return candidates;
  }

  #goal(origin: Origin, candidates: readonly Solvable[]): number {
    const variable = this.solver.newVariable();
    this.#needs.set(variable, [this.#need(origin, variable, candidates)]);
    return variable;
  }

  #need(origin: Origin, of: number, solvables: readonly Solvable[]): Need {
    const candidates = solvables.map(({ id }) => id);
    this.#add(origin, [-of, ...candidates]);
    return { candidates, oneName: solvables.every(({ name }) => name === solvables[0]?.name) };
  }

  #add(origin: Origin, literals: readonly number[]): void {
    this.#clauses.push(literals);
    this.#origins.push(origin);
    this.solver.addClause(literals, this.#origins.length - 1);
  }
}

/** Whether one package declares that it takes the place of another: Conflicts or Breaks with Replaces (policy 7.6.2). */
export function takesPlaceOf(one: Solvable, other: Solvable, universe: Universe): boolean {
  const names = (texts: readonly string[]) => texts.flatMap((text) => parseDependency(text)).some((relation) => universe.matches(relation).includes(other));
  return one.name !== other.name && names(one.package.replaces) && names([...one.package.conflicts, ...one.package.breaks]);
}
