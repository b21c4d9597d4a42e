/** From a conflict that nothing can mend back to the clauses and assumptions that it follows from. */

export interface Clause {
  /** One of these has to hold. */
  readonly literals: number[];
  /** What the caller knows the clause by; undefined for learned ones. */
  readonly origin: number | undefined;
  /** Of a learned clause: what it was derived from. */
  readonly from: readonly Clause[];
  /** Of a learned clause: variables whose values never change and that its derivation used. */
  readonly fixed: readonly number[];
}

/** Why there is no solution: the origins of clauses and the assumptions that contradict each other. */
export interface Contradiction {
  readonly origins: readonly number[];
  readonly assumptions: readonly number[];
}

/**
 * @param conflict a clause none of whose literals can hold, if that is where the search ended
 * @param refused an assumption that does not hold, if that is where it ended
 * @param reasons by variable, the clause that gave it its value; undefined for assumptions
 * @param values by variable: 1 true, -1 false
 */
export function findContradiction(
  conflict: Clause | undefined,
  refused: number | undefined,
  reasons: readonly (Clause | undefined)[],
  values: readonly number[],
): Contradiction {
  const origins = new Set<number>();
  const assumptions = new Set<number>();
  const clauses = new Set<Clause>();
  const variables = new Set<number>();
  const open: (Clause | number)[] = [];
  const addVariable = (variable: number) => {
    if (variables.has(variable)) return;
    variables.add(variable);
    open.push(variable);
  };
  const addClause = (clause: Clause) => {
    if (clauses.has(clause)) return;
    clauses.add(clause);
    open.push(clause);
  };
  if (refused !== undefined) {
    assumptions.add(refused);
    addVariable(Math.abs(refused));
  }
  if (conflict !== undefined) {
    addClause(conflict);
    for (const literal of conflict.literals) addVariable(Math.abs(literal));
  }
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'number') {
      const reason = reasons[next];
      if (reason === undefined) {
        assumptions.add(next * (values[next] ?? 0));
      } else {
        addClause(reason);
        for (const literal of reason.literals) addVariable(Math.abs(literal));
      }
    } else {
      if (next.origin !== undefined) origins.add(next.origin);
      for (const earlier of next.from) addClause(earlier);
      for (const variable of next.fixed) addVariable(variable);
    }
  }
  return { origins: Array.from(origins), assumptions: Array.from(assumptions) };
}
