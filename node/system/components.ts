/** Which components of a package are installed. */
import type { ComponentWishes, InstalledPackage } from '../../core/install/state.ts';
import { MossError } from '../../core/error.ts';

/** What holds where the user said nothing of a package. */
export interface ComponentDefaults {
  /** Components to leave out; a name stands for all below it (`locale` for `locale/de`). */
  without: readonly string[];
  /** Languages to keep; empty for all. */
  locales: readonly string[];
}

/** Names that every package may have a component of: leaving out what is not there is no mistake. */
const USUAL: ReadonlySet<string> = new Set(['doc', 'man', 'locale', 'dev', 'debug']);

/**
 * The components of a version that are to be installed. What was said of the package counts more than the settings,
 * and of two words that meet a component the longer one: `locale/de` more than `locale`.
 *
 * @param all components of the version
 */
export function chooseComponents(all: readonly string[], wishes: ComponentWishes, { without, locales }: ComponentDefaults): string[] {
  return all.filter((component) => {
    if (component === 'main') return true;
    const [wanted, unwanted] = [closest(component, wishes.with), closest(component, wishes.without)];
    if (wanted !== unwanted) return wanted > unwanted;
    return closest(component, without) === 0 && isWantedLanguage(component, locales);
  });
}

/**
 * What was said of a package before, and now: the last word counts.
 *
 * @throws MossError `usage` when the one component that makes the package is left out, or one is both wanted and not
 */
export function addWishes(before: ComponentWishes | undefined, said: ComponentWishes): ComponentWishes {
  if (said.without.includes('main')) throw new MossError('usage', 'the main component of a package cannot be left out');
  const both = said.with.find((name) => said.without.includes(name));
  if (both !== undefined) throw new MossError('usage', `${both} is to be brought and to be left out`, { hint: 'Name it after --with or after --without.' });
  // A word for a whole takes back what was said of its parts.
  const stillHolds = (name: string): boolean => closest(name, [...said.with, ...said.without]) === 0;
  return {
    with: [...new Set([...(before?.with ?? []).filter(stillHolds), ...said.with])],
    without: [...new Set([...(before?.without ?? []).filter(stillHolds), ...said.without])],
  };
}

/**
 * Sees to it that what the user named is there, in one of the packages at least.
 *
 * @throws MossError `usage`
 */
export function checkNames(said: ComponentWishes, packages: readonly { name: string; components: readonly string[] }[]): void {
  const all = [...new Set(packages.flatMap(({ components }) => components))].toSorted();
  const isThere = (name: string): boolean => all.some((component) => closest(component, [name]) > 0);
  const unknown = [...said.with, ...said.without.filter((name) => !USUAL.has(name))].find((name) => !isThere(name));
  if (unknown === undefined) return;
  const where = packages.length === 1 ? (packages[0]?.name ?? '') : 'these packages';
  throw new MossError('usage', `there is no component ${unknown} in ${where}`, { hint: `There are ${all.join(', ')}.` });
}

/** How many characters the longest name has that is the component's, or that of what it belongs to; 0 for none. */
function closest(component: string, names: readonly string[]): number {
  return Math.max(0, ...names.filter((name) => component === name || component.startsWith(`${name}/`)).map(({ length }) => length));
}

/**
 * `de` keeps `de`, `de_AT` and `de@euro`. What programs fall back to is kept too, which is a language without some of its
 * parts (gettext manual, section 2.3): `de` for `de_AT`, `sr@latin` for `sr_RS@latin`.
 */
function isWantedLanguage(component: string, locales: readonly string[]): boolean {
  if (!component.startsWith('locale/') || locales.length === 0) return true;
  const tag = partsOf(component.slice('locale/'.length));
  return locales.map(partsOf).some((locale) => tag.every((part) => locale.includes(part)) || locale.every((part) => tag.includes(part)));
}

/** `sr_RS@latin` is `sr`, `_RS` and `@latin`; some programs write `zh-Hant`. */
function partsOf(language: string): string[] {
  return language.replaceAll('-', '_').split(/(?=[_.@])/);
}

/** A package that was here, and the components that come and go. */
export interface ComponentChange {
  name: string;
  added: string[];
  removed: string[];
}

/** What becomes of the components of packages that were here; another version may well have others. */
export function componentChanges(
  before: readonly InstalledPackage[],
  after: readonly InstalledPackage[],
  loaded: ReadonlyMap<string, { manifest: { components: readonly { name: string }[] } }>,
): ComponentChange[] {
  const earlier = new Map(before.map((each) => [each.name, each]));
  return after.flatMap(({ name, manifest, components }) => {
    const old = earlier.get(name);
    if (old === undefined) return [];
    const offered = new Set(loaded.get(name)?.manifest.components.map((each) => each.name));
    const added = old.manifest.equals(manifest) ? components.filter((each) => !old.components.includes(each)) : [];
    const removed = old.components.filter((each) => offered.has(each) && !components.includes(each));
    return added.length + removed.length === 0 ? [] : [{ name, added, removed }];
  });
}
