import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { minimalCore } from '../../../core/repo/resolver/core.ts';
import { type Guide, OutOfSteps, Solver } from '../../../core/repo/resolver/solver.ts';

const VARIABLES = 6;

/** Adds the clauses of a variable (those that say `-variable`) when it becomes true, and tries false or true first. */
class Lazy implements Guide {
  readonly #solver: Solver;
  readonly #clauses: readonly (readonly number[])[];
  readonly #sign: number;
  expansions: number[] = [];
  depth = 0;

  constructor(solver: Solver, clauses: readonly (readonly number[])[], sign: number) {
    this.#solver = solver;
    this.#clauses = clauses;
    this.#sign = sign;
  }

  expand(variable: number): void {
    this.expansions.push(variable);
    this.#clauses.forEach((clause, i) => {
      if (ownerOf(clause) === variable) this.#solver.addClause(clause, i);
    });
  }

  mark(): void {
    this.depth++;
  }

  undo(count: number): void {
    assert.ok(count < this.depth);
    this.depth = count;
  }

  decide(): number | undefined {
    for (let variable = 1; variable <= VARIABLES; variable++) if (this.#solver.value(variable) === 0) return this.#sign * variable;
    return undefined;
  }
}

/** The variable that brings a clause along, if any. */
const ownerOf = (clause: readonly number[]) => Math.abs(clause.find((literal) => literal < 0) ?? 0);

const holds = (clause: readonly number[], bits: number) => clause.some((literal) => (((bits >> (Math.abs(literal) - 1)) & 1) === 1) === literal > 0);
const satisfiable = (clauses: readonly (readonly number[])[]) => Array.from({ length: 1 << VARIABLES }, (_, bits) => bits).some((bits) => clauses.every((clause) => holds(clause, bits)));

const literal = fc.tuple(fc.integer({ min: 1, max: VARIABLES }), fc.boolean()).map(([variable, sign]) => (sign ? variable : -variable));
const clause = fc.uniqueArray(literal, { minLength: 1, maxLength: 3, selector: Math.abs });
const formula = fc.array(clause, { maxLength: 26 });
const assumed = fc.uniqueArray(literal, { maxLength: 3, selector: Math.abs });

function solverOf(clauses: readonly (readonly number[])[], sign: number) {
  const solver = new Solver(1_000_000);
  for (let i = 0; i < VARIABLES; i++) solver.newVariable();
  clauses.forEach((one, i) => {
    if (ownerOf(one) === 0) solver.addClause(one, i);
  });
  return { solver, guide: new Lazy(solver, clauses, sign) };
}

test('agrees with trying everything, and blames clauses that really contradict', () => {
  fc.assert(fc.property(formula, assumed, fc.constantFrom(1, -1), (clauses, assumptions, sign) => {
    const { solver, guide } = solverOf(clauses, sign);
    const contradiction = solver.solve(assumptions, guide);
    assert.equal(contradiction === undefined, satisfiable([...clauses, ...assumptions.map((one) => [one])]));
    assert.equal(new Set(guide.expansions).size, guide.expansions.length);
    if (contradiction === undefined) {
      assert.ok(clauses.every((one) => one.some((wanted) => solver.value(wanted) > 0)));
      assert.ok(assumptions.every((one) => solver.value(one) > 0));
      return;
    }
    assert.ok(contradiction.assumptions.every((one) => assumptions.includes(one)));
    const units = contradiction.assumptions.map((one) => [one]);
    const blamed = new Map(contradiction.origins.map((id) => [id, clauses[id] ?? []]));
    assert.ok(!satisfiable([...blamed.values(), ...units]));
    const core = minimalCore(blamed, contradiction.assumptions).map((id) => clauses[id] ?? []);
    assert.ok(!satisfiable([...core, ...units]));
    for (const left of core) assert.ok(satisfiable([...core.filter((one) => one !== left), ...units]), 'the core is not minimal');
  }), { numRuns: 4000 });
});

test('can be asked again with other assumptions', () => {
  fc.assert(fc.property(formula, assumed, assumed, (clauses, first, second) => {
    const { solver, guide } = solverOf(clauses, 1);
    for (const assumptions of [first, second, first]) {
      assert.equal(solver.solve(assumptions, guide) === undefined, satisfiable([...clauses, ...assumptions.map((one) => [one])]));
    }
  }), { numRuns: 1000 });
});

test('an earlier decision gives way only when nothing later can', () => {
  fc.assert(fc.property(formula, (clauses) => {
    const { solver, guide } = solverOf(clauses, 1);
    if (solver.solve([], guide) !== undefined) return;
    // All decisions are for true, in order: so is the answer the greatest, read as a number from the first variable on.
    const bits = Array.from({ length: 1 << VARIABLES }, (_, one) => one).filter((one) => clauses.every((each) => holds(each, one)));
    const order = (one: number) => Array.from({ length: VARIABLES }, (_, i) => (one >> i) & 1).join('');
    const found = Array.from({ length: VARIABLES }, (_, i) => (solver.value(i + 1) > 0 ? 1 : 0)).join('');
    assert.equal(found, bits.map((one) => order(one)).toSorted().at(-1));
  }), { numRuns: 1000 });
});

test('stops when the steps are used up', () => {
  const solver = new Solver(3);
  for (let i = 0; i < VARIABLES; i++) solver.newVariable();
  assert.throws(() => solver.solve([], new Lazy(solver, [], 1)), OutOfSteps);
});
