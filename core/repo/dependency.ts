/**
 * Relations between packages, as text and as values: Debian policy 7.1, with the capabilities of `.stone` packages
 * (`soname(libc.so.6(x86_64))`) as further names.
 */
import type { PackageFormat } from '../dag/package.ts';
import { MossError } from '../error.ts';
import { compareVersions, type Versioned } from './version.ts';

/** Strictly older, older or equal, equal, newer or equal, strictly newer. */
export type Relation = '<<' | '<=' | '=' | '>=' | '>>';

/** One way to fulfil a dependency. */
export interface Alternative {
  /** A package, a virtual package, or a capability. */
  readonly name: string;
  readonly relation?: Relation;
  /** Present when the relation is. */
  readonly version?: string;
  /** `any`, `native`, or an architecture (Debian's multi-arch). */
  readonly qualifier?: string;
}

/** Any one of its alternatives fulfils it; the earlier are preferred. */
export type Dependency = readonly Alternative[];

/** What a package offers under a name that is not its own. */
export interface Provide {
  readonly name: string;
  /** Without one, it fulfils no versioned dependency (policy 7.5). */
  readonly version?: string;
}

/** Characters. The longest in Debian 12 has about 1,100. */
const MAX_DEPENDENCY = 16_384;
const MAX_NAME = 255;

const PACKAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9+._-]*$/;
const CAPABILITY = /^[a-z][a-z0-9]*\([^|,\p{Cc}]+\)$/u;
const VERSION = /^[\x21-\x27\x2a\x2b\x2d-\x7b\x7d\x7e]+$/;
const QUALIFIER = /^[a-z0-9][a-z0-9-]*$/;
/** Architecture restrictions and build profiles only mean something in source packages (policy 7.1). */
const RESTRICTION = /^(?:\s*(?:\[[^\]]*\]|<[^>]*>))*\s*$/;
/**
 * `<` and `>` are old forms of `<=` and `>=` (policy 7.1): dpkg still reads them so.
 */
const RELATIONS: Readonly<Record<string, Relation>> = { '<<': '<<', '<=': '<=', '=': '=', '>=': '>=', '>>': '>>', '<': '<=', '>': '>=' };

/** Whether a text can be the name of a package: policy 5.6.7, with upper case letters and `_`. */
export function isPackageName(text: string): boolean {
  return text.length <= MAX_NAME && PACKAGE_NAME.test(text);
}

/** The same few thousand texts come again and again in a resolution. */
const dependencyCache = new Map<string, Dependency>();
const MAX_CACHE = 100_000;

/**
 * Parses one dependency with its alternatives.
 *
 * @throws MossError `bad-version`
 *
 * @example
 * assert.deepEqual(parseDependency('a (>= 1) | b:any'), [
 *   { name: 'a', relation: '>=', version: '1' },
 *   { name: 'b', qualifier: 'any' },
 * ]);
 */
export function parseDependency(text: string): Dependency {
  let dependency = dependencyCache.get(text);
  if (dependency === undefined) {
    if (text.length > MAX_DEPENDENCY) throw badRelation(text, `it has more than ${MAX_DEPENDENCY} characters`);
    dependency = split(text, '|').map((part) => parseAlternative(part));
    if (dependencyCache.size >= MAX_CACHE) dependencyCache.clear();
    dependencyCache.set(text, dependency);
  }
  return dependency;
}

/**
 * The relations of a comma-separated field such as `Depends`, each trimmed and without the empty ones, ready for
 * `PackageMetadata`.
 *
 * @example
 * assert.deepEqual(splitRelations('a (>= 1) | b, c'), ['a (>= 1) | b', 'c']);
 */
export function splitRelations(field: string): string[] {
  return split(field, ',').map((part) => part.replace(/\s+/g, ' ').trim()).filter((part) => part !== '');
}

/**
 * Parses an entry of `Provides`.
 *
 * @throws MossError `bad-version`, also for any relation but `=` (policy 7.5)
 */
export function parseProvide(text: string): Provide {
  const { name, relation, version } = parseAlternative(text);
  if (relation !== undefined && relation !== '=') throw badRelation(text, 'only = may stand in a provide');
  return version === undefined ? { name } : { name, version };
}

/** The text of a dependency, in canonical form: parsing it again gives the same. */
export function formatDependency(dependency: Dependency): string {
  return dependency.map((alternative) => formatAlternative(alternative)).join(' | ');
}

/** The text of one alternative: `a:any (>= 1)`. */
export function formatAlternative({ name, relation, version, qualifier }: Alternative): string {
  const qualified = qualifier === undefined ? name : `${name}:${qualifier}`;
  return relation === undefined || version === undefined ? qualified : `${qualified} (${relation} ${version})`;
}

/**
 * Whether a package of version `have` fulfils `relation wanted`. For `.stone`, the wanted version is the text alone
 * (`1.2`), or the text and the release (`1.2-7`), which then decides by itself.
 *
 * @throws MossError `bad-version`
 */
export function satisfies(format: PackageFormat, relation: Relation, wanted: string, have: Versioned): boolean {
  const order = format === 'stone' ? compareWithStoneText(have, wanted) : compareVersions(format, have, { version: wanted, release: 0 });
  switch (relation) {
    case '<<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '=':
      return order === 0;
    case '>=':
      return order >= 0;
    case '>>':
      return order > 0;
  }
}

function compareWithStoneText(have: Versioned, wanted: string): number {
  const dash = wanted.lastIndexOf('-');
  const release = dash > 0 ? wanted.slice(dash + 1) : '';
  const bare = { version: have.version, release: 0 };
  // A version may itself end in -7, so that reading wins where it is the package's own text.
  if (wanted === have.version || !/^[0-9]{1,15}$/.test(release)) return compareVersions('stone', bare, { version: wanted, release: 0 });
  return compareVersions('stone', have, { version: wanted.slice(0, dash), release: Number(release) });
}

function parseAlternative(text: string): Alternative {
  const trimmed = text.trim();
  const end = endOfName(trimmed);
  const rest = trimmed.slice(end);
  let name = trimmed.slice(0, end);
  let qualifier: string | undefined;
  // Every .stone provides itself as `name(itself)`, and the bare name means just that.
  if (name.startsWith('name(')) {
    name = name.slice(5, -1);
  } else if (!name.includes('(')) {
    const colon = name.indexOf(':');
    if (colon >= 0) {
      qualifier = name.slice(colon + 1);
      name = name.slice(0, colon);
      if (!QUALIFIER.test(qualifier)) throw badRelation(text, 'what follows the colon is not an architecture');
    }
  }
  if (!isPackageName(name) && (name.length > MAX_NAME || !CAPABILITY.test(name))) {
    throw badRelation(text, 'it does not start with the name of a package or a capability');
  }
  return { name, ...parseRelation(rest, text), ...(qualifier === undefined ? {} : { qualifier }) };
}

/** Where the name ends: at a space, or at a parenthesis that holds a relation rather than the value of a capability. */
function endOfName(text: string): number {
  const match = /[\s([<]/.exec(text);
  if (match === null) return text.length;
  const start = match.index;
  if (text[start] !== '(' || /^\(\s*[<>=]/.test(text.slice(start))) return start;
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i + 1;
  }
  throw badRelation(text, 'a parenthesis is not closed');
}

function parseRelation(rest: string, text: string): { relation: Relation; version: string } | undefined {
  const trimmed = rest.trimStart();
  const match = /^\(\s*([<>=]+)\s*([^\s()<>=]+)\s*\)/.exec(trimmed);
  if (!RESTRICTION.test(match === null ? rest : trimmed.slice(match[0].length))) throw badRelation(text, 'what follows the name is not a relation to a version');
  if (match === null) return undefined;
  const [, symbol = '', version = ''] = match;
  const relation = RELATIONS[symbol];
  if (relation === undefined) throw badRelation(text, `${symbol} is not a relation`);
  if (!VERSION.test(version) || version.length > MAX_NAME) throw badRelation(text, 'its version is malformed');
  return { relation, version };
}

/** Splits at a character outside parentheses. */
function split(text: string, separator: string): string[] {
  if (!text.includes(separator)) return [text];
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')') depth--;
    else if (text[i] === separator && depth <= 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function badRelation(text: string, why: string): MossError {
  const shown = text.length > 200 ? `${text.slice(0, 200)}...` : text;
  return new MossError('bad-version', `${JSON.stringify(shown)} is not a relation to a package: ${why}`, { data: { relation: shown } });
}
