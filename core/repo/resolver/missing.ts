/** Why nothing fulfils an alternative, in words. */
import { type Alternative, type Dependency, formatAlternative, formatDependency } from '../dependency.ts';
import type { Universe } from './universe.ts';

/** At most this many versions are named. */
const SHOWN = 3;

/**
 * What follows `A needs B (>= 2)`, with its comma or colon: `, the repository has 1.9`.
 */
export function whyMissing(dependency: Dependency, universe: Universe): string {
  const [only, second] = dependency;
  if (only === undefined) return '';
  if (second === undefined) return `, ${reason(only, universe) ?? 'which no repository has'}`;
  const known = dependency.flatMap((alternative) => {
    const why = reason(alternative, universe);
    return why === undefined ? [] : [`${alternative.name}: ${why}`];
  });
  if (known.length === 0) return `, none of which any repository has`;
  return ` (${known.join('; ')}${known.length < dependency.length ? '; no repository has the rest' : ''})`;
}

/** The whole sentence for what the user asked for. */
export function whyNotFound(wanted: Alternative, universe: Universe): string {
  const why = reason(wanted, universe);
  if (why === undefined) return `no repository has ${wanted.name}`;
  return wanted.relation === undefined ? `${wanted.name}: ${why}` : `you asked for ${formatAlternative(wanted)}, ${why}`;
}

/** `undefined` when there is no trace of it. */
function reason(alternative: Alternative, universe: Universe): string | undefined {
  const { index, architectures } = universe;
  const all = index.candidates(alternative.name);
  const runnable = universe.named(alternative.name);
  if (runnable.length > 0) {
    const installed = universe.installed(alternative.name);
    const known = Array.from(new Set(runnable.flatMap(({ candidate }) => candidate?.version ?? [])));
    if (known.length === 0) return `${installed?.version ?? 'another version'} is installed, and no repository has another`;
    const more = known.length > SHOWN ? ', ...' : '';
    return `the repository has ${known.slice(0, SHOWN).join(', ')}${more}`;
  }
  if (all.length > 0) {
    const theirs = Array.from(new Set(all.map(({ architecture }) => architecture))).toSorted();
    return `which is for ${theirs.join(', ')} only, this system is ${architectures.find((one) => one !== 'all') ?? 'all'}`;
  }
  const first = index.providers(alternative.name).find(({ entry }) => architectures.includes(entry.architecture));
  if (first === undefined) return undefined;
  if (first.version === undefined) return `which ${first.entry.name} provides, but without a version`;
  return `${first.entry.name} provides ${formatDependency([{ name: alternative.name, relation: '=', version: first.version }])}`;
}
