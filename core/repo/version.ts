/** The order of versions, for each package format. */
import type { PackageFormat } from '../dag/package.ts';
import { compareDebVersions, type DebVersion, parseDebVersion } from './version/deb.ts';
import { checkStoneVersion, compareStoneText } from './version/stone.ts';

/** What orders a package among others of its name. */
export interface Versioned {
  readonly version: string;
  /** The source release of a `.stone`; 0 elsewhere. */
  readonly release: number;
}

/**
 * Below 0 when `a` is older than `b`, above 0 when newer, 0 when neither.
 *
 * - `deb`: exactly as `dpkg --compare-versions`; the release says nothing.
 * - `directory`: as `deb`, since its versions are written by hand and that order is what people expect.
 * - `stone`: by source release, then by the version text.
 *
 * @throws MossError `bad-version`
 *
 * @example
 * assert.ok(compareVersions('deb', { version: '1.0~rc1', release: 0 }, { version: '1.0', release: 0 }) < 0);
 */
export function compareVersions(format: PackageFormat, a: Versioned, b: Versioned): number {
  if (format === 'stone') return a.release - b.release || compareStoneText(a.version, b.version);
  return a.version === b.version ? 0 : compareDebVersions(parsed(a.version), parsed(b.version));
}

/** @throws MossError `bad-version` when the format would not have this as a version. */
export function checkVersion(format: PackageFormat, version: string): void {
  if (format === 'stone') checkStoneVersion(version);
  else parsed(version);
}

/** Versions repeat: a resolution compares the same few thousand with each other. */
const cache = new Map<string, DebVersion>();
const MAX_CACHE = 100_000;

function parsed(text: string): DebVersion {
  let version = cache.get(text);
  if (version === undefined) {
    version = parseDebVersion(text);
    if (cache.size >= MAX_CACHE) cache.clear();
    cache.set(text, version);
  }
  return version;
}
