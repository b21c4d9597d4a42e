/** Why nothing fulfils an alternative, in words. */
import { type Alternative, type Dependency, formatAlternative } from '../dependency.ts';
import type { Universe } from './universe.ts';

/** At most this many versions are named. */
const SHOWN = 3;

interface Reason {
  /** `is for arm64 only` follows the name; `the repository has 1.9` stands by itself. */
  readonly of: 'it' | 'repository';
  readonly text: string;
}

/** What follows `A needs B (>= 2)`, with its comma: `, the repository has 1.9`. */
export function whyMissing(dependency: Dependency, universe: Universe): string {
  const [only, second] = dependency;
  if (only === undefined) return '';
  if (second === undefined) {
    const why = reasonOf(only, universe);
    if (why === undefined) return ', which no repository has';
    return why.of === 'it' ? `, which ${why.text}` : `, ${why.text}`;
  }
  const known: string[] = [];
  const unknown: string[] = [];
  for (const alternative of dependency) {
    const why = reasonOf(alternative, universe);
    if (why === undefined) unknown.push(alternative.name);
    else known.push(why.of === 'it' ? `${alternative.name} ${why.text}` : `of ${alternative.name} ${why.text}`);
  }
  if (known.length === 0) return ', none of which any repository has';
  return `; ${[...known, ...(unknown.length === 0 ? [] : [`no repository has ${unknown.join(' or ')}`])].join('; ')}`;
}

/** The whole sentence for what the user asked for. */
export function whyNotFound(wanted: Alternative, universe: Universe): string {
  const why = reasonOf(wanted, universe);
  if (why === undefined) return `no repository has ${wanted.name}`;
  return why.of === 'it' ? `${formatAlternative(wanted)} ${why.text}` : `you asked for ${formatAlternative(wanted)}, ${why.text}`;
}

/** `undefined` when there is no trace of it. */
function reasonOf(alternative: Alternative, universe: Universe): Reason | undefined {
  const { index, architectures } = universe;
  const { name } = alternative;
  const runnable = universe.named(name);
  if (runnable.length > 0) {
    const known = Array.from(new Set(runnable.flatMap(({ candidate }) => candidate?.version ?? [])));
    if (known.length === 0) return { of: 'it', text: `is installed as ${universe.installed(name)?.version ?? 'another version'}, and no repository has it` };
    return { of: 'repository', text: `the repository has ${known.slice(0, SHOWN).join(', ')}${known.length > SHOWN ? ', ...' : ''}` };
  }
  const elsewhere = index.candidates(name);
  if (elsewhere.length > 0) {
    const theirs = Array.from(new Set(elsewhere.map(({ architecture }) => architecture))).toSorted();
    return { of: 'it', text: `is for ${theirs.join(', ')} only, this system is ${architectures.find((one) => one !== 'all') ?? 'all'}` };
  }
  const provider = index.providers(name).find(({ entry }) => architectures.includes(entry.architecture));
  if (provider === undefined) return undefined;
  const { entry, version } = provider;
  return { of: 'it', text: version === undefined ? `is provided by ${entry.name}, but without a version` : `is provided by ${entry.name} as ${version}` };
}
