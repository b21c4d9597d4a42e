/**
 * A satisfiability solver with learned clauses (conflict-driven clause learning: Marques-Silva and Sakallah, GRASP,
 * 1996; two watched literals and the first unique implication point as in Eén and Sörensson, MiniSat, 2003).
 *
 * What is special here: the decisions come from outside, in order of preference, and are never restarted, so that the
 * solution is the lexicographically best one of the preferences; clauses are added while it runs, when a variable
 * becomes true, so that only what a request can reach is ever looked at; and a failure gives the clauses that it
 * follows from.
 *
 * A literal is `variable` for true and `-variable` for false; variables count from 1.
 */

import { type Clause, type Contradiction, findContradiction } from './contradiction.ts';

/** What the solver asks while it runs. */
export interface Guide {
  /** The variable has become true: its clauses have to be there now. Called once for each variable. */
  expand(variable: number): void;
  /** The next literal to try, or `undefined` when nothing is left that has to hold. */
  decide(): number | undefined;
  /** A decision is about to be made: what `decide` remembers may have to come back. */
  mark(): void;
  /** All decisions but the first `count` are undone. */
  undo(count: number): void;
}

/** Thrown when the bound on steps is reached. */
export class OutOfSteps extends Error {}

export class Solver {
  /** Values by variable: 1 true, -1 false, 0 open. */
  readonly #values: number[] = [0];
  readonly #levels: number[] = [0];
  readonly #reasons: (Clause | undefined)[] = [undefined];
  readonly #expanded: boolean[] = [false];
  readonly #seen: boolean[] = [false];
  /** Clauses to look at when a literal becomes false, by `#slot`. */
  readonly #watches: Clause[][] = [[], []];
  /** Literals in the order in which they became true. */
  readonly trail: number[] = [];
  /** Where in the trail each level starts. */
  readonly #levelStarts: number[] = [];
  #head = 0;
  #conflict: Clause | undefined;
  /** Clauses of one literal, which holds for good, that came while decisions stood. */
  readonly #facts: Clause[] = [];
  /** Set when there is no solution whatever is assumed. */
  #hopeless: Clause | undefined;
  #stepsLeft: number;

  /** `steps` bounds the work: each is one clause looked at, or one decision. */
  constructor(steps: number) {
    this.#stepsLeft = steps;
  }

  get stepsLeft(): number {
    return this.#stepsLeft;
  }

  newVariable(): number {
    this.#values.push(0);
    this.#levels.push(0);
    this.#reasons.push(undefined);
    this.#expanded.push(false);
    this.#seen.push(false);
    this.#watches.push([], []);
    return this.#values.length - 1;
  }

  /** 1 when the literal holds, -1 when its opposite does, 0 when it is open. */
  value(literal: number): number {
    const value = this.#values[Math.abs(literal)] ?? 0;
    return literal < 0 ? -value : value;
  }

  /** Adds a clause: one of these literals has to hold. Allowed before solving and from `expand`. */
  addClause(literals: readonly number[], origin: number): void {
    const clause: Clause = { literals: Array.from(new Set(literals)), origin, from: [], fixed: [] };
    const sorted = clause.literals;
    // The two that are watched come first: those that hold, then those that are open, then those that fell last.
    sorted.sort((a, b) => this.#watchRank(b) - this.#watchRank(a));
    this.#attach(clause);
    const [first] = sorted;
    if (sorted.length === 1) this.#facts.push(clause);
    else if (first === undefined || this.value(first) < 0) this.#conflict ??= clause;
    else if (this.value(first) === 0 && this.value(sorted[1] ?? 0) < 0) this.#assign(first, clause);
  }

  /**
   * Searches for values that fulfil all clauses and assumptions.
   *
   * @returns `undefined` when found: then `value` gives them
   * @throws OutOfSteps
   */
  solve(assumptions: readonly number[], guide: Guide): Contradiction | undefined {
    this.#backTo(0, guide);
    while (this.#hopeless === undefined) {
      this.#establishFacts(guide);
      const conflict = this.#propagate(guide);
      if (conflict !== undefined) {
        if (!this.#learn(conflict, guide)) this.#hopeless = conflict;
        continue;
      }
      if (this.#facts.length > 0) continue;
      const next = this.#nextDecision(assumptions, guide);
      if (next === undefined) return undefined;
      if (this.value(next) < 0) return findContradiction(undefined, next, this.#reasons, this.#values);
      guide.mark();
      this.#levelStarts.push(this.trail.length);
      if (this.value(next) === 0) this.#assign(next, undefined);
      this.#spend(1);
    }
    return findContradiction(this.#hopeless, undefined, this.#reasons, this.#values);
  }

  /** A fact does not hang on any decision, so it is set where none stands. */
  #establishFacts(guide: Guide): void {
    if (this.#facts.length > 0) this.#backTo(0, guide);
    for (let fact = this.#facts.pop(); fact !== undefined; fact = this.#facts.pop()) {
      const [literal = 0] = fact.literals;
      if (this.value(literal) === 0) this.#assign(literal, fact);
      else if (this.value(literal) < 0) this.#conflict ??= fact;
    }
  }

  #nextDecision(assumptions: readonly number[], guide: Guide): number | undefined {
    return assumptions[this.#levelStarts.length] ?? guide.decide();
  }

  #spend(steps: number): void {
    this.#stepsLeft -= steps;
    if (this.#stepsLeft < 0) throw new OutOfSteps();
  }

  #watchRank(literal: number): number {
    const value = this.value(literal);
    return value >= 0 ? 1e9 + value : this.#levelOf(literal);
  }

  #slot(literal: number): number {
    return literal > 0 ? 2 * literal : -2 * literal + 1;
  }

  #watchesOf(literal: number): Clause[] {
    return this.#watches[this.#slot(literal)] ?? [];
  }

  #attach(clause: Clause): void {
    const [first, second] = clause.literals;
    if (first === undefined || second === undefined) return;
    this.#watchesOf(first).push(clause);
    this.#watchesOf(second).push(clause);
  }

  #assign(literal: number, reason: Clause | undefined): void {
    const variable = Math.abs(literal);
    this.#values[variable] = literal > 0 ? 1 : -1;
    this.#levels[variable] = this.#levelStarts.length;
    this.#reasons[variable] = reason;
    this.trail.push(literal);
  }

  /** Follows all that must be; returns a clause that cannot hold. */
  #propagate(guide: Guide): Clause | undefined {
    while (this.#conflict === undefined && this.#head < this.trail.length) {
      const literal = this.trail[this.#head++] ?? 0;
      if (literal > 0 && this.#expanded[literal] === false) {
        this.#expanded[literal] = true;
        guide.expand(literal);
      }
      this.#conflict ??= this.#visit(-literal);
    }
    const conflict = this.#conflict;
    this.#conflict = undefined;
    return conflict;
  }

  /** Looks at the clauses that watch a literal which has become false. */
  #visit(literal: number): Clause | undefined {
    const watching = this.#watchesOf(literal);
    this.#spend(watching.length);
    let kept = 0;
    for (let i = 0; i < watching.length; i++) {
      const clause = watching[i];
      if (clause === undefined) break;
      const moved = this.#moveWatch(clause, literal);
      if (moved) continue;
      watching[kept++] = clause;
      const [other = 0] = clause.literals;
      const value = this.value(other);
      if (value === 0) this.#assign(other, clause);
      if (value < 0) {
        for (i++; i < watching.length; i++) watching[kept++] = watching[i] ?? clause;
        watching.length = kept;
        return clause;
      }
    }
    watching.length = kept;
    return undefined;
  }

  /** Puts the other watched literal first, and watches another instead of `literal` where one has not fallen. */
  #moveWatch(clause: Clause, literal: number): boolean {
    const { literals } = clause;
    if (literals[0] === literal) {
      literals[0] = literals[1] ?? 0;
      literals[1] = literal;
    }
    if (this.value(literals[0] ?? 0) > 0) return false;
    for (let i = 2; i < literals.length; i++) {
      const candidate = literals[i] ?? 0;
      if (this.value(candidate) < 0) continue;
      literals[1] = candidate;
      literals[i] = literal;
      this.#watchesOf(candidate).push(clause);
      return true;
    }
    return false;
  }

  /**
   * Learns from a conflict: undoes decisions as far as the conflict shows that something else must hold.
   *
   * @returns false when no decision is to blame: there is no solution
   */
  #learn(conflict: Clause, guide: Guide): boolean {
    const level = conflict.literals.reduce((highest, literal) => Math.max(highest, this.#levelOf(literal)), 0);
    if (level === 0) return false;
    this.#backTo(level, guide);
    const clause = this.#analyse(conflict, level);
    const [first = 0, ...others] = clause.literals;
    let back = 0;
    others.forEach((literal, i) => {
      if (this.#levelOf(literal) <= back) return;
      back = this.#levelOf(literal);
      clause.literals[i + 1] = clause.literals[1] ?? 0;
      clause.literals[1] = literal;
    });
    this.#backTo(back, guide);
    this.#attach(clause);
    this.#assign(first, clause);
    return true;
  }

  /** Resolves a conflict with the reasons of its literals until only one literal of the level is left. */
  #analyse(conflict: Clause, level: number): Clause {
    const from = [conflict];
    const fixed: number[] = [];
    const literals = [0];
    const touched: number[] = [];
    let open = 0;
    let at = this.trail.length - 1;
    let clause: Clause | undefined = conflict;
    do {
      for (const literal of clause?.literals ?? []) {
        const variable = Math.abs(literal);
        if (this.#seen[variable] === true) continue;
        this.#seen[variable] = true;
        touched.push(variable);
        if (this.#levelOf(literal) === 0) fixed.push(variable);
        else if (this.#levelOf(literal) < level) literals.push(literal);
        else open++;
      }
      while (this.#seen[Math.abs(this.trail[at] ?? 0)] !== true) at--;
      const literal = this.trail[at--] ?? 0;
      literals[0] = -literal;
      clause = this.#reasons[Math.abs(literal)];
      if (--open > 0 && clause !== undefined) from.push(clause);
    } while (open > 0);
    for (const variable of touched) this.#seen[variable] = false;
    this.#spend(touched.length);
    return { literals, origin: undefined, from, fixed };
  }

  #levelOf(literal: number): number {
    return this.#levels[Math.abs(literal)] ?? 0;
  }

  #backTo(level: number, guide: Guide): void {
    if (level >= this.#levelStarts.length) return;
    const start = this.#levelStarts[level] ?? 0;
    for (let i = start; i < this.trail.length; i++) {
      const variable = Math.abs(this.trail[i] ?? 0);
      this.#values[variable] = 0;
      this.#reasons[variable] = undefined;
    }
    this.trail.length = start;
    this.#levelStarts.length = level;
    this.#head = start;
    guide.undo(level);
  }
}
