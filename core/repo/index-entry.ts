/** One line of an index: what a package is and needs, so that searching and resolving need no manifest. */
import { decode as decodeJson, encode as encodeJson } from 'multiformats/codecs/json';
import { parseCid } from '../dag/cid.ts';
import { PACKAGE_FORMATS, type PackageFormat, type PackageMetadata } from '../dag/package.ts';
import { MossError } from '../error.ts';
import { isPackageName, parseDependency, parseProvide } from './dependency.ts';
import { checkVersion, compareVersions } from './version.ts';

type Indexed =
  | 'name' | 'version' | 'release' | 'architecture' | 'format' | 'summary' | 'homepage' | 'depends' | 'recommends'
  | 'provides' | 'conflicts' | 'breaks' | 'replaces' | 'essential' | 'multiArch';

/** What the index says of a package; the manifest says the rest. */
export interface IndexEntry extends Readonly<Pick<PackageMetadata, Indexed>> {
  /** The CID of the manifest block, as text. */
  readonly manifest: string;
  /** Bytes on disk when all components are installed. */
  readonly size: number;
  /** Bytes of all full frames. */
  readonly download: number;
  /** How many regular files all components have. */
  readonly files: number;
  /** False when the publisher forbids announcing that one has it. */
  readonly announce: boolean;
}

/** Bytes. The longest line of Debian 12 has about 60,000. */
export const MAX_LINE = 1 << 20;
const MAX_TEXT = 16_384;
const MAX_RELATIONS = 10_000;
const MULTI_ARCH = ['', 'same', 'foreign', 'allowed'] as const;
const ARCHITECTURE = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/**
 * The line of an entry, without the line feed. Its keys have a fixed order and empty fields are left out, so that
 * equal entries are equal bytes. `name` is first and `provides` second: both are found without parsing.
 *
 * @throws MossError `bad-index` when no reader would accept it
 */
export function encodeEntry(entry: IndexEntry): Uint8Array {
  const line = encodeJson({
    name: entry.name,
    provides: unlessEmpty(entry.provides),
    version: entry.version,
    release: entry.release || undefined,
    architecture: entry.architecture,
    format: entry.format,
    essential: entry.essential || undefined,
    multiArch: entry.multiArch || undefined,
    depends: unlessEmpty(entry.depends),
    recommends: unlessEmpty(entry.recommends),
    conflicts: unlessEmpty(entry.conflicts),
    breaks: unlessEmpty(entry.breaks),
    replaces: unlessEmpty(entry.replaces),
    summary: entry.summary || undefined,
    homepage: entry.homepage || undefined,
    manifest: entry.manifest,
    size: entry.size || undefined,
    download: entry.download || undefined,
    files: entry.files || undefined,
    announce: entry.announce ? undefined : false,
  });
  if (line.length > MAX_LINE) throw bad(`the entry of ${entry.name} has more than ${MAX_LINE} bytes`);
  decodeEntry(line);
  checkRelations(entry);
  return line;
}

/** Only a writer checks them all: a reader parses what it comes to need. */
function checkRelations(entry: IndexEntry): void {
  try {
    for (const provide of entry.provides) parseProvide(provide);
    for (const list of [entry.depends, entry.recommends, entry.conflicts, entry.breaks, entry.replaces]) {
      for (const relation of list) parseDependency(relation);
    }
  } catch (cause) {
    throw bad(`${entry.name} ${entry.version}: ${cause instanceof MossError ? cause.message : 'a relation is malformed'}`, cause);
  }
}

/**
 * The entry of a line. Keys that are not known are passed over: a later moss may write them.
 *
 * @throws MossError `bad-index`
 */
export function decodeEntry(line: Uint8Array): IndexEntry {
  let value: unknown;
  try {
    value = decodeJson(line);
  } catch (cause) {
    throw bad('it is not JSON', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('it is not an object');
  const fields = new Map<string, unknown>(Object.entries(value));
  const name = text(fields, 'name');
  if (!isPackageName(name)) throw bad('its name is not the name of a package');
  const format = oneOf(PACKAGE_FORMATS, fields, 'format', undefined);
  const version = text(fields, 'version');
  const manifest = text(fields, 'manifest');
  try {
    checkVersion(format, version);
    parseCid(manifest);
  } catch (cause) {
    throw bad(cause instanceof MossError ? cause.message : 'its version or manifest is malformed', cause);
  }
  const architecture = text(fields, 'architecture');
  if (!ARCHITECTURE.test(architecture)) throw bad('its architecture is malformed');
  return {
    name,
    version,
    release: count(fields, 'release'),
    architecture,
    format,
    summary: text(fields, 'summary', ''),
    homepage: text(fields, 'homepage', ''),
    depends: texts(fields, 'depends'),
    recommends: texts(fields, 'recommends'),
    provides: texts(fields, 'provides'),
    conflicts: texts(fields, 'conflicts'),
    breaks: texts(fields, 'breaks'),
    replaces: texts(fields, 'replaces'),
    essential: flag(fields, 'essential', false),
    multiArch: oneOf(MULTI_ARCH, fields, 'multiArch', ''),
    manifest,
    size: count(fields, 'size'),
    download: count(fields, 'download'),
    files: count(fields, 'files'),
    announce: flag(fields, 'announce', true),
  };
}

/** Newest first. Versions of different formats have no order, so `.deb` is before `.stone` before directories. */
export function compareNewestFirst(
  a: { format: PackageFormat; version: string; release: number },
  b: { format: PackageFormat; version: string; release: number },
): number {
  if (a.format !== b.format) return PACKAGE_FORMATS.indexOf(a.format) - PACKAGE_FORMATS.indexOf(b.format);
  return compareVersions(a.format, b, a);
}

function unlessEmpty(list: readonly string[]): readonly string[] | undefined {
  return list.length === 0 ? undefined : list;
}

type Fields = ReadonlyMap<string, unknown>;

function text(fields: Fields, key: string, otherwise?: string): string {
  const value = fields.get(key) ?? otherwise;
  if (typeof value !== 'string' || value.length > MAX_TEXT) throw bad(`its ${key} is not a text of at most ${MAX_TEXT} characters`);
  return value;
}

/** Shared, since most of the lists of most packages are empty. */
const NONE: string[] = [];

function texts(fields: Fields, key: string): string[] {
  const value = fields.get(key);
  if (value === undefined) return NONE;
  if (!Array.isArray(value) || value.length > MAX_RELATIONS) throw bad(`its ${key} is not a list of at most ${MAX_RELATIONS} texts`);
  for (const item of value as unknown[]) {
    if (typeof item !== 'string' || item === '' || item.length > MAX_TEXT) throw bad(`its ${key} holds what is not a text of at most ${MAX_TEXT} characters`);
  }
  return value as string[];
}

function count(fields: Fields, key: string): number {
  const value = fields.get(key) ?? 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw bad(`its ${key} is not a number that counts`);
  return value;
}

function flag(fields: Fields, key: string, otherwise: boolean): boolean {
  const value = fields.get(key) ?? otherwise;
  if (typeof value !== 'boolean') throw bad(`its ${key} is neither true nor false`);
  return value;
}

function oneOf<T extends string>(allowed: readonly T[], fields: Fields, key: string, otherwise: T | undefined): T {
  const value = fields.get(key) ?? otherwise;
  const found = allowed.find((word) => word === value);
  if (found === undefined) throw bad(`its ${key} is none of ${allowed.filter((word) => word !== '').join(', ')}`);
  return found;
}

function bad(why: string, cause?: unknown): MossError {
  return new MossError('bad-index', why, { cause });
}
