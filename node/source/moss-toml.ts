/** `moss.toml`: what a directory says of itself as a package. The README of this room documents it. */
import { matchesGlob } from 'node:path/posix';
import { parse, TomlError } from 'smol-toml';
import type { Place } from './place.ts';

export const MOSS_TOML = 'moss.toml';

/** Fields that hold one text, and those that hold a list of texts. */
const TEXTS = ['name', 'version', 'architecture', 'summary', 'description', 'homepage', 'source', 'prefix'] as const;
const LISTS = ['licences', 'depends', 'recommends', 'suggests', 'provides', 'conflicts', 'breaks', 'replaces'] as const;
const FLAGS = ['announce', 'essential'] as const;

export type Described = Partial<Record<(typeof TEXTS)[number], string>> &
  Partial<Record<(typeof LISTS)[number], string[]>> &
  Partial<Record<(typeof FLAGS)[number], boolean>> & {
    /** The component of a path inside the directory, where a pattern takes it. */
    componentOf?: ((path: string) => string | undefined) | undefined;
  };

/** As in a manifest. */
const COMPONENT = /^[a-z][\w/@.+-]{0,63}$/i;

/** @throws MossError `bad-package` for a file that is no TOML, unknown keys, and values of another type */
export function parseMossToml(text: string, place: Place): Described {
  let root: Record<string, unknown>;
  try {
    root = parse(text);
  } catch (error) {
    if (error instanceof TomlError) throw place.bad(`line ${error.line}: ${error.message.split('\n', 1)[0] ?? ''}`, {}, error);
    throw error;
  }
  const { package: packageTable, components, ...others } = root;
  refuseUnknown(others, '', place);
  const { texts, rest } = readTexts(table(packageTable, 'package', place), place);
  refuseUnknown(rest, 'package.', place);
  return { ...texts, componentOf: componentPatterns(table(components, 'components', place), place) };
}

function readTexts(fields: Record<string, unknown>, place: Place): { texts: Described; rest: Record<string, unknown> } {
  const texts: Described = {};
  const rest = { ...fields };
  const take = <T>(key: string, is: (value: unknown) => value is T, what: string): T | undefined => {
    const value = rest[key];
    delete rest[key];
    if (value === undefined || is(value)) return value;
    throw place.bad(`package.${key} is not ${what}`);
  };
  for (const key of TEXTS) {
    const value = take(key, isText, 'a text');
    if (value !== undefined) texts[key] = value;
  }
  for (const key of LISTS) {
    const value = take(key, isTexts, 'a list of texts');
    if (value !== undefined) texts[key] = value;
  }
  for (const key of FLAGS) {
    const value = take(key, isFlag, 'true or false');
    if (value !== undefined) texts[key] = value;
  }
  return { texts, rest };
}

function componentPatterns(fields: Record<string, unknown>, place: Place): Described['componentOf'] {
  const patterns: { component: string; glob: string }[] = [];
  for (const [component, globs] of Object.entries(fields)) {
    if (!COMPONENT.test(component)) throw place.bad(`${JSON.stringify(component.slice(0, 80))} cannot be the name of a component`);
    if (!isTexts(globs)) throw place.bad(`components.${component} is not a list of patterns`);
    for (const glob of globs) patterns.push({ component, glob: glob.replace(/^\.?\/+/, '') });
  }
  if (patterns.length === 0) return undefined;
  return (path) => patterns.find(({ glob }) => matchesGlob(path, glob) || (glob.endsWith('/**') && matchesGlob(path, glob.slice(0, -3))))?.component;
}

function table(value: unknown, name: string, place: Place): Record<string, unknown> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) throw place.bad(`${name} is not a table`);
  return { ...value };
}

function refuseUnknown(fields: Record<string, unknown>, prefix: string, place: Place): void {
  const [key] = Object.keys(fields);
  if (key !== undefined) throw place.bad(`${prefix}${key} is no key that moss knows`);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}

function isFlag(value: unknown): value is boolean {
  return typeof value === 'boolean';
}
