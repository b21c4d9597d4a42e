/** All packages that could be on the system, what fulfils a relation, and in which order they are preferred. */
import { MossError } from '../../error.ts';
import { type Alternative, type Dependency, formatAlternative, parseDependency, parseProvide } from '../dependency.ts';
import type { Candidate, CandidateSource } from '../index-file.ts';
import { compareNewestFirst } from '../index-entry.ts';
import { isNamed, offers } from './match.ts';
import type { InstalledPackage, Package } from './request.ts';

/** One version of a package, that is or could be installed. */
export interface Solvable {
  /** The variable that says whether it is in the solution. */
  readonly id: number;
  readonly name: string;
  /** What it needs and offers. Of an installed package this is what is on disk, whatever the index says now. */
  readonly package: Package;
  readonly installed: InstalledPackage | undefined;
  readonly candidate: Candidate | undefined;
}

export interface UniverseOptions {
  index: CandidateSource;
  architectures: readonly string[];
  installed: readonly InstalledPackage[];
  /** Whether the newest version of an installed package is preferred to the installed one. */
  upgrades: (name: string) => boolean;
  newVariable: () => number;
}

export class Universe {
  readonly index: CandidateSource;
  readonly architectures: readonly string[];
  readonly #options: UniverseOptions;
  readonly #installed = new Map<string, InstalledPackage>();
  readonly #installedProviders = new Map<string, { name: string; version?: string }[]>();
  readonly #byName = new Map<string, readonly Solvable[]>();
  readonly #byCandidate = new Map<Candidate, Solvable>();
  readonly #byId = new Map<number, Solvable>();
  readonly #matches = new Map<string, readonly Solvable[]>();

  constructor(options: UniverseOptions) {
    this.index = options.index;
    this.architectures = options.architectures;
    this.#options = options;
    for (const one of options.installed) {
      if (this.#installed.has(one.name)) throw new MossError('bug', `${one.name} is installed twice`);
      this.#installed.set(one.name, one);
      for (const { name, version } of one.provides.map((text) => parseProvide(text))) {
        const providers = this.#installedProviders.get(name) ?? [];
        providers.push({ name: one.name, ...(version === undefined ? {} : { version }) });
        this.#installedProviders.set(name, providers);
      }
    }
  }

  installed(name: string): InstalledPackage | undefined {
    return this.#installed.get(name);
  }

  solvable(id: number): Solvable | undefined {
    return this.#byId.get(id);
  }

  /** The installed version of a name. */
  current(name: string): Solvable | undefined {
    return this.#installed.has(name) ? this.named(name).find(({ installed }) => installed !== undefined) : undefined;
  }

  /**
   * All versions of a name that this system can run, best first: the installed one unless it is to be upgraded, then
   * newest first; those of another format than the installed one last, since their versions do not compare.
   */
  named(name: string): readonly Solvable[] {
    let solvables = this.#byName.get(name);
    if (solvables === undefined) {
      solvables = this.#build(name);
      this.#byName.set(name, solvables);
    }
    return solvables;
  }

  /** What fulfils an alternative, best first: the package of that name, then those that provide it (policy 7.5). */
  matches(alternative: Alternative): readonly Solvable[] {
    const key = formatAlternative(alternative);
    let matches = this.#matches.get(key);
    if (matches === undefined) {
      const real = this.named(alternative.name).filter((solvable) => isNamed(solvable.package, alternative));
      matches = Array.from(new Set([...real, ...this.#providersOf(alternative)]));
      this.#matches.set(key, matches);
    }
    return matches;
  }

  /** What the user can mean: the package of that name, and only where there is none, those that provide it. */
  answers(requirement: Alternative): readonly Solvable[] {
    const matches = this.matches(requirement);
    const { name } = requirement;
    return this.named(name).length > 0 ? matches.filter((solvable) => solvable.name === name) : matches;
  }

  /**
   * What fulfils a dependency, best first: alternatives that the installed packages already fulfil, then all in the
   * order in which they are listed.
   */
  candidatesFor(dependency: Dependency): readonly Solvable[] {
    const all = Array.from(new Set(dependency.flatMap((alternative) => this.matches(alternative))));
    const here = new Set(all.filter(({ installed }) => installed !== undefined).map(({ name }) => name));
    return here.size === 0 ? all : [...all.filter(({ name }) => here.has(name)), ...all.filter(({ name }) => !here.has(name))];
  }

  /** Whether going from the installed version to this one is a step back. */
  isDowngrade({ name, package: to }: Solvable): boolean {
    const from = this.#installed.get(name);
    return from !== undefined && from.format === to.format && compareNewestFirst(from, to) < 0;
  }

  #build(name: string): readonly Solvable[] {
    const installed = this.#installed.get(name);
    const solvables: Solvable[] = [];
    const { architectures } = this;
    const known = this.index.candidates(name).filter(({ architecture }) => architectures.includes(architecture));
    const sorted = known.toSorted((a, b) => compareNewestFirst(a, b) || architectures.indexOf(a.architecture) - architectures.indexOf(b.architecture));
    const same = installed === undefined ? undefined : sorted.find((candidate) => isSame(candidate, installed));
    if (installed !== undefined) solvables.push(this.#add(installed, installed, same));
    for (const candidate of sorted) {
      // The same version from another repository, or built again, is no reason to change anything.
      if (installed !== undefined && isSame(candidate, installed)) continue;
      solvables.push(this.#add(candidate, undefined, candidate));
    }
    if (installed === undefined) return solvables;
    const upgrades = this.#options.upgrades(name);
    const rank = ({ package: one }: Solvable) => (one === installed && !upgrades ? 0 : one.format === installed.format ? 1 : 2);
    return solvables.toSorted((a, b) => rank(a) - rank(b) || compareNewestFirst(a.package, b.package));
  }

  #add(one: Package, installed: InstalledPackage | undefined, candidate: Candidate | undefined): Solvable {
    const solvable: Solvable = { id: this.#options.newVariable(), name: one.name, package: one, installed, candidate };
    this.#byId.set(solvable.id, solvable);
    if (candidate !== undefined) this.#byCandidate.set(candidate, solvable);
    return solvable;
  }

  /** Installed ones first, then those that say they need least, since they are likely to bring least along. */
  #rankOfProvider(best: Solvable | undefined): number {
    return best === undefined || this.#installed.has(best.name) ? -1 : best.package.depends.length;
  }

  #providersOf(alternative: Alternative): Solvable[] {
    const found = new Set<Solvable>();
    for (const { name, version } of this.#installedProviders.get(alternative.name) ?? []) {
      const current = name === alternative.name ? undefined : this.current(name);
      if (current !== undefined && offers(current.package, version, alternative)) found.add(current);
    }
    for (const { entry, version } of this.index.providers(alternative.name)) {
      this.named(entry.name);
      const solvable = this.#byCandidate.get(entry);
      if (solvable !== undefined && solvable.package === entry && offers(entry, version, alternative)) found.add(solvable);
    }
    const best = Array.from(new Set(Array.from(found, ({ name }) => name)), (name) => this.named(name).filter((solvable) => found.has(solvable)));
    return best.toSorted(([a], [b]) => this.#rankOfProvider(a) - this.#rankOfProvider(b)).flat();
  }
}

/**
 * Parses the dependencies of a package.
 *
 * @throws MossError `bad-index` naming the package
 */
export function parseRelations(of: Package, texts: readonly string[]): readonly Dependency[] {
  try {
    return texts.map((text) => parseDependency(text));
  } catch (cause) {
    throw new MossError('bad-index', `${of.name} ${of.version} cannot be considered: ${cause instanceof MossError ? cause.message : 'a relation is malformed'}`, {
      cause,
    });
  }
}

function isSame(a: Package, b: Package): boolean {
  return a.version === b.version && a.release === b.release && a.architecture === b.architecture && a.format === b.format;
}
