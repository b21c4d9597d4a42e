import type { PackageMetadata } from '../../core/dag/package.ts';
import { isPackageName, parseDependency, parseProvide } from '../../core/repo/dependency.ts';
import { checkVersion } from '../../core/repo/version.ts';
import { MossError } from '../../core/error.ts';
import type { Place } from './place.ts';

/** Debian policy 11.1, less than 64 characters. */
const ARCHITECTURE = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Characters; the longest in Debian 12 has 30,000. */
const MAX_DESCRIPTION = 256 * 1024;
const MAX_LINE = 4096;
/** Of each kind; the most in Debian 12 is about 700. */
const MAX_RELATIONS = 65_536;

/**
 * The metadata as it is, when everything in it can be understood by what reads it later: names, versions, relations.
 *
 * @throws MossError `bad-package` or `bad-version`, naming the file and the field
 */
export function checkedMetadata(metadata: PackageMetadata, place: Place): PackageMetadata {
  const { name, version, architecture, format } = metadata;
  if (!isPackageName(name)) throw place.bad(`${quoted(name)} cannot be the name of a package: letters, digits and + . _ - only`);
  named('version', () => checkVersion(format, version));
  if (!ARCHITECTURE.test(architecture)) throw place.bad(`${quoted(architecture)} cannot be an architecture: a word such as amd64, arm64 or all`);
  for (const field of ['depends', 'recommends', 'suggests', 'conflicts', 'breaks', 'replaces'] as const) {
    check(field, metadata[field], parseDependency);
  }
  check('provides', metadata.provides, parseProvide);
  for (const field of ['summary', 'homepage', 'source'] as const) limit(field, metadata[field], MAX_LINE);
  limit('description', metadata.description, MAX_DESCRIPTION);
  return metadata;

  function check(field: string, relations: readonly string[], parse: (text: string) => unknown): void {
    if (relations.length > MAX_RELATIONS) throw place.bad(`${field} holds ${relations.length} relations; the limit is ${MAX_RELATIONS}`);
    for (const relation of relations) named(field, () => parse(relation));
  }

  function limit(field: string, text: string, most: number): void {
    if (text.length > most) throw place.bad(`${field} has ${text.length} characters; the limit is ${most}`);
  }

  function named(field: string, parse: () => unknown): void {
    try {
      parse();
    } catch (error) {
      if (error instanceof MossError) throw place.bad(`${field}: ${error.message}`, {}, error);
      throw error;
    }
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
