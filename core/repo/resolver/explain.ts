/** Why a request cannot be fulfilled, in the words of the packages. */
import { MossError } from '../../error.ts';
import { formatAlternative, formatDependency } from '../dependency.ts';
import type { Contradiction } from './contradiction.ts';
import { minimalCore } from './core.ts';
import { whyMissing, whyNotFound } from './missing.ts';
import type { Origin, Problem } from './problem.ts';
import { similarNames } from './suggest.ts';
import type { Solvable } from './universe.ts';

/** Past this, nobody reads on. */
const MAX_LINES = 20;

/** The error for a contradiction that the search ended in. */
export function explain(problem: Problem, { origins, assumptions }: Contradiction): MossError {
  const core = minimalCore(new Map(origins.map((id) => [id, problem.clause(id)])), assumptions);
  const facts = core.flatMap((id) => problem.origin(id) ?? []);
  const lines = new Telling(problem, facts).lines();
  const more = lines.length - MAX_LINES;
  const shown = more > 0 ? [...lines.slice(0, MAX_LINES), `and ${more} more relations that stand in the way`] : lines;
  return new MossError('unresolvable', shown.join('\n'), hintFor(problem, facts));
}

function hintFor(problem: Problem, facts: readonly Origin[]): { hint?: string } {
  for (const fact of facts) {
    if (fact.kind !== 'wanted' || problem.universe.answers(fact.requirement).length > 0) continue;
    if (problem.universe.index.candidates(fact.requirement.name).length > 0) continue;
    const similar = similarNames(fact.requirement.name, problem.universe.index.names());
    if (similar.length > 0) return { hint: `Did you mean ${similar.join(' or ')}?` };
    return { hint: 'Look for it with moss search, add the repository that has it, or run moss repo update: it may be new.' };
  }
  const back = facts.find((fact) => fact.kind === 'no-downgrade');
  if (back?.kind === 'no-downgrade') return { hint: `To go back, ask for it: ${back.of.name}=${back.of.package.version}` };
  const kept = facts.find((fact) => fact.kind === 'kept');
  if (kept?.kind === 'kept' && kept.why === 'explicit') return { hint: `It would be possible without ${kept.name}: moss remove ${kept.name}` };
  const isMissing = facts.some((fact) => (fact.kind === 'needs' ? problem.candidates(fact.dependency) : fact.kind === 'wanted' ? problem.universe.answers(fact.requirement) : undefined)?.length === 0);
  return isMissing ? { hint: 'If it is newer than what is known of the repositories, run moss repo update.' } : {};
}

/** Tells facts as a chain: what was asked for, then what that needs, and at its end what stands in the way. */
class Telling {
  readonly #problem: Problem;
  readonly #facts: readonly Origin[];
  readonly #lines: string[] = [];
  readonly #told = new Set<string>();

  constructor(problem: Problem, facts: readonly Origin[]) {
    this.#problem = problem;
    this.#facts = facts;
  }

  lines(): readonly string[] {
    for (const fact of this.#facts) if (fact.kind === 'wanted') this.#tellWanted(fact);
    for (const fact of this.#facts) if (fact.kind === 'kept') this.#tellPackage(fact.name);
    // What is left hangs together by clauses that need no words.
    for (const fact of this.#facts) {
      if (fact.kind === 'needs' || fact.kind === 'excludes') this.#tellPackage(fact.of.name);
      if (fact.kind === 'unwanted') this.#say(`you asked to remove ${fact.of.name}`);
      if (fact.kind === 'no-downgrade') this.#tellStepBack(fact.of);
    }
    for (const fact of this.#facts) if (fact.kind === 'kept') this.#tellKept(fact);
    return this.#lines;
  }

  #tellWanted({ requirement }: Extract<Origin, { kind: 'wanted' }>): void {
    const matches = this.#problem.universe.answers(requirement);
    if (matches.length === 0) this.#say(whyNotFound(requirement, this.#problem.universe));
    else if (requirement.relation !== undefined) this.#say(`you asked for ${formatAlternative(requirement)}`);
    for (const name of new Set(matches.map((one) => one.name))) this.#tellPackage(name);
    const talkedAbout = this.#lines.some((line) => line.includes(requirement.name));
    if (!talkedAbout) this.#say(`you asked for ${formatAlternative(requirement)}`);
  }

  /** What the facts say that a package needs and excludes, and then the same of those that it needs. */
  #tellPackage(name: string): void {
    if (this.#told.has(name)) return;
    this.#told.add(name);
    const next = new Set<string>();
    for (const fact of this.#facts) {
      if (fact.kind === 'needs' && fact.of.name === name) {
        const candidates = this.#problem.candidates(fact.dependency);
        const text = formatDependency(fact.dependency);
        this.#sayOf(fact.of, `needs ${text}${candidates.length === 0 ? whyMissing(fact.dependency, this.#problem.universe) : ''}`);
        for (const candidate of candidates) next.add(candidate.name);
      } else if (fact.kind === 'excludes' && fact.of.name === name) {
        const verb = fact.field === 'conflicts' ? 'conflicts with' : 'breaks';
        this.#sayOf(fact.of, `${verb} ${formatAlternative(fact.relation)}${this.#asWhich(fact.other, fact.relation.name)}${this.#whoNeeds(fact.other)}`);
      }
    }
    for (const other of next) this.#tellPackage(other);
  }

  /** `, which D needs`, `, which is installed`, or nothing when no fact says so. */
  #whoNeeds(other: Solvable): string {
    const needing = this.#facts.find((fact) => fact.kind === 'needs' && this.#problem.candidates(fact.dependency).includes(other));
    if (needing?.kind === 'needs') return `, which ${needing.of.name} needs`;
    const kept = this.#facts.find((fact) => fact.kind === 'kept' && fact.name === other.name);
    if (kept?.kind === 'kept') {
      this.#told.add(`kept ${other.name}`);
      return kept.why === 'essential' ? ', which is essential' : ', which you installed';
    }
    const wanted = this.#facts.some((fact) => fact.kind === 'wanted' && this.#problem.universe.answers(fact.requirement).includes(other));
    return wanted ? ', which you asked for' : '';
  }

  #asWhich(other: Solvable, name: string): string {
    return other.name === name ? '' : ` (provided by ${other.name})`;
  }

  #tellKept({ name, why }: Extract<Origin, { kind: 'kept' }>): void {
    if (this.#told.has(`kept ${name}`)) return;
    this.#say(why === 'essential' ? `${name} is essential, and stays` : `${name} is installed because you asked for it, and stays`);
  }

  #tellStepBack(of: Solvable): void {
    const installed = this.#problem.universe.installed(of.name);
    if (installed !== undefined) this.#say(`${of.name} ${installed.version} is installed, and ${of.package.version} is older`);
  }

  /** Names the version only where the facts tell different things of different versions. */
  #sayOf(of: Solvable, predicate: string): void {
    const versions = this.#facts.flatMap((fact) => ((fact.kind === 'needs' || fact.kind === 'excludes') && fact.of.name === of.name ? [fact.of.package.version] : []));
    const isSeveral = new Set(versions).size > 1;
    if (isSeveral && !this.#sameForAll(of)) this.#say(`${of.name} ${of.package.version} ${predicate}`);
    else this.#say(`${of.name} ${predicate}`);
  }

  #sameForAll(of: Solvable): boolean {
    const texts = new Set<string>();
    for (const fact of this.#facts) {
      if (fact.kind === 'needs' && fact.of.name === of.name) texts.add(formatDependency(fact.dependency));
      if (fact.kind === 'excludes' && fact.of.name === of.name) texts.add(`${fact.field} ${formatAlternative(fact.relation)}`);
    }
    return texts.size === 1;
  }

  #say(line: string): void {
    if (!this.#lines.includes(line)) this.#lines.push(line);
  }
}
