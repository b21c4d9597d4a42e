/**
 * The index of a repository: a file of JSON lines, one package each, sorted by name, newest version first, and
 * architecture. It is fetched whole, since a look-up would say what one is after, and its form keeps deltas small.
 */
import { MossError } from '../error.ts';
import { parseProvide } from './dependency.ts';
import { compareNewestFirst, encodeEntry, type IndexEntry } from './index-entry.ts';
import { IndexLines } from './index-lines.ts';

export type { IndexEntry } from './index-entry.ts';

/** An entry, and where it comes from. */
export interface Candidate extends IndexEntry {
  /** The label that the repository was opened with. */
  readonly repository: string;
}

/** A package that offers something under a name that is not its own. */
export interface Provider {
  readonly entry: Candidate;
  /** The version that it says it provides, if any. */
  readonly version?: string;
}

/** What the resolver asks of an index. */
export interface CandidateSource {
  names(): Iterable<string>;
  candidates(name: string): readonly Candidate[];
  providers(capability: string): readonly Provider[];
}

/** An index file and its label; of equal versions, the one of the earlier repository is preferred. */
export interface LabelledIndex {
  readonly repository: string;
  readonly bytes: Uint8Array;
}

/**
 * The index file of these entries, in whatever order they come.
 *
 * @throws MossError `bad-index` when an entry is malformed, or two have the same name, version and architecture
 */
export function encodeIndex(entries: Iterable<IndexEntry>): Uint8Array {
  const sorted = Array.from(entries).toSorted(compareEntries);
  const lines = sorted.map((entry, i) => {
    const previous = sorted[i - 1];
    if (previous !== undefined && compareEntries(previous, entry) === 0) {
      throw new MossError('bad-index', `${entry.name} ${entry.version} for ${entry.architecture} is in the index twice`);
    }
    return encodeEntry(entry);
  });
  const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.length + 1, 0));
  let at = 0;
  for (const line of lines) {
    bytes.set(line, at);
    at += line.length + 1;
    bytes[at - 1] = 0x0a;
  }
  return bytes;
}

/**
 * One or more index files as one. Opening only finds the lines; each is parsed and checked when it is asked for, and
 * kept. All methods throw a `MossError` `bad-index` that names the line when it is malformed.
 */
export class PackageIndex implements CandidateSource {
  readonly #files: readonly IndexLines[];
  readonly #candidates = new Map<string, readonly Candidate[]>();
  readonly #providers = new Map<string, readonly Provider[]>();
  #offers: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(indexes: Uint8Array | readonly LabelledIndex[]) {
    const labelled = indexes instanceof Uint8Array ? [{ repository: '', bytes: indexes }] : indexes;
    this.#files = labelled.map(({ repository, bytes }) => new IndexLines(repository, bytes));
  }

  /** How many packages there are, each version and architecture counted. */
  get size(): number {
    return this.#files.reduce((sum, file) => sum + file.count, 0);
  }

  /** The names of all packages, each once, in order. */
  *names(): Iterable<string> {
    const [only, second] = this.#files;
    if (second !== undefined) {
      yield* Array.from(new Set(this.#files.flatMap((file) => Array.from(namesOf(file))))).toSorted(compareText);
    } else if (only !== undefined) {
      yield* namesOf(only);
    }
  }

  /** All packages of a name: newest first, then in the order of the repositories, then by architecture. */
  candidates(name: string): readonly Candidate[] {
    let candidates = this.#candidates.get(name);
    if (candidates === undefined) {
      candidates = this.#read(name);
      this.#candidates.set(name, candidates);
    }
    return candidates;
  }

  /** All packages that say they provide a capability or virtual package, by name; not those that have it as their name. */
  providers(capability: string): readonly Provider[] {
    let providers = this.#providers.get(capability);
    if (providers === undefined) {
      this.#offers ??= this.#scanOffers();
      const names = Array.from(new Set(this.#offers.get(capability))).filter((name) => name !== capability);
      providers = names.toSorted(compareText).flatMap((name) => this.candidates(name).flatMap((entry) => providersOf(entry, capability)));
      this.#providers.set(capability, providers);
    }
    return providers;
  }

  /** Every package, in the order of `names()` and `candidates()`. What is read here is not kept. */
  *entries(): Iterable<Candidate> {
    for (const name of this.names()) yield* this.#candidates.get(name) ?? this.#read(name);
  }

  /**
   * Packages whose name or summary holds all words of `text`, in whatever case: the newest of each name, best matches
   * first (the very name, its start, within it, the summary), then by name.
   */
  search(text: string): Candidate[] {
    const words = text.toLowerCase().split(/\s+/).filter((word) => word !== '');
    const names = new Set<string>();
    for (const file of this.#files) {
      for (let line = 0; line < file.count; line++) {
        if (file.repeatsName(line)) continue;
        const name = file.name(line);
        if (rankOf({ name, summary: file.summary(line) }, words) !== undefined) names.add(name);
      }
    }
    const found: { rank: number; entry: Candidate }[] = [];
    for (const name of names) {
      const [entry] = this.candidates(name);
      const rank = entry === undefined ? undefined : rankOf(entry, words);
      if (entry !== undefined && rank !== undefined) found.push({ rank, entry });
    }
    return found.toSorted((a, b) => a.rank - b.rank || compareText(a.entry.name, b.entry.name)).map(({ entry }) => entry);
  }

  #read(name: string): readonly Candidate[] {
    const candidates: Candidate[] = [];
    for (const file of this.#files) {
      const first = file.find(name);
      if (first === undefined) continue;
      for (let line = first; line === first || (line < file.count && file.repeatsName(line)); line++) {
        candidates.push({ ...file.entry(line), repository: file.repository });
      }
    }
    // The sort is stable, so that equal versions stay in the order of the repositories and architectures.
    return candidates.length > 1 ? candidates.toSorted(compareNewestFirst) : candidates;
  }

  /** Which names provide each capability, read from the front of the lines alone. */
  #scanOffers(): ReadonlyMap<string, readonly string[]> {
    const offers = new Map<string, string[]>();
    for (const file of this.#files) {
      for (let line = 0; line < file.count; line++) {
        const provides = file.provides(line);
        if (provides === undefined) continue;
        const name = file.name(line);
        for (const provide of provides) {
          const names = offers.get(provide.name);
          if (names === undefined) offers.set(provide.name, [name]);
          else if (names.at(-1) !== name) names.push(name);
        }
      }
    }
    return offers;
  }
}

function* namesOf(file: IndexLines): Iterable<string> {
  for (let line = 0; line < file.count; line++) if (!file.repeatsName(line)) yield file.name(line);
}

function providersOf(entry: Candidate, capability: string): Provider[] {
  return entry.provides
    .map((text) => parseProvide(text))
    .filter(({ name }) => name === capability)
    .map(({ version }) => (version === undefined ? { entry } : { entry, version }));
}

function rankOf({ name, summary }: Pick<Candidate, 'name' | 'summary'>, words: readonly string[]): number | undefined {
  const lowerName = name.toLowerCase();
  const lowerSummary = summary.toLowerCase();
  if (!words.every((word) => lowerName.includes(word) || lowerSummary.includes(word))) return undefined;
  const [first = ''] = words;
  if (words.length === 1 && lowerName === first) return 0;
  if (lowerName.startsWith(first)) return 1;
  return words.every((word) => lowerName.includes(word)) ? 2 : 3;
}

function compareEntries(a: IndexEntry, b: IndexEntry): number {
  return compareText(a.name, b.name) || compareNewestFirst(a, b) || compareText(a.architecture, b.architecture);
}

/** By code units, which for the names of packages is the order of their bytes. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
