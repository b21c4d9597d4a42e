/** Which components of a package are installed. */
import type { InstalledPackage } from '../../core/install/state.ts';
import { MossError } from '../../core/error.ts';

export interface ComponentChoice {
  /** Components to leave out; a name stands for all below it (`locale` for `locale/de`). */
  without: readonly string[];
  /** Components to bring although a setting leaves them out. */
  with: readonly string[];
  /** Languages to keep; empty for all. */
  locales: readonly string[];
}

/**
 * The components of a version that are to be installed. What was left out of the installed version stays out, and what
 * was there stays, unless the choice names it.
 *
 * @param all components of the new version
 * @param before the installed version and all its components, if there is one
 * @throws MossError `usage` when the one component that makes the package is left out
 */
export function chooseComponents(
  all: readonly string[],
  choice: ComponentChoice,
  before?: { installed: InstalledPackage; all: readonly string[] },
): string[] {
  if (choice.without.includes('main')) throw new MossError('usage', 'the main component of a package cannot be left out');
  return all.filter((component) => {
    if (component === 'main' || isNamed(component, choice.with)) return true;
    if (isNamed(component, choice.without)) return false;
    if (before?.all.includes(component) === true) return before.installed.components.includes(component);
    return isWantedLanguage(component, choice.locales);
  });
}

function isNamed(component: string, names: readonly string[]): boolean {
  return names.some((name) => component === name || component.startsWith(`${name}/`));
}

/** `de` keeps `de`, `de_AT` and `de@euro`. */
function isWantedLanguage(component: string, locales: readonly string[]): boolean {
  if (!component.startsWith('locale/') || locales.length === 0) return true;
  const tag = component.slice('locale/'.length);
  return locales.some((locale) => tag === locale || /^[_@.]/.test(tag.slice(locale.length)) && tag.startsWith(locale));
}
