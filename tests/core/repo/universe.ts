/** Small made-up repositories, and an independent judge of what may be on a system together. */
import { type Alternative, parseDependency, parseProvide } from '../../../core/repo/dependency.ts';
import { encodeIndex, type IndexEntry, PackageIndex } from '../../../core/repo/index-file.ts';
import type { InstalledPackage, Package, Resolution } from '../../../core/repo/resolver.ts';
import { compareVersions } from '../../../core/repo/version.ts';
import { SOME_MANIFEST } from './debian.ts';

/** An entry from `name version` and what else matters. */
export function entry(nameAndVersion: string, more: Partial<IndexEntry> = {}): IndexEntry {
  const [name = '', version = '1'] = nameAndVersion.split(' ');
  return {
    name, version, release: 0, architecture: 'amd64', format: 'deb', summary: '', homepage: '', depends: [], recommends: [], provides: [],
    conflicts: [], breaks: [], replaces: [], essential: false, multiArch: '', manifest: SOME_MANIFEST, size: 0, download: 0, files: 0, announce: true, ...more,
  };
}

export function indexOf(...entries: IndexEntry[]): PackageIndex {
  return new PackageIndex(encodeIndex(entries));
}

export function installed(one: IndexEntry, explicit: boolean): InstalledPackage {
  return { ...one, explicit };
}

/** All packages that are on the system afterwards. */
export function systemAfter(resolution: Resolution): Package[] {
  return [...resolution.install, ...resolution.upgrade.map(({ to }) => to), ...resolution.downgrade.map(({ to }) => to), ...resolution.keep];
}

/** `name version`, sorted. */
export function labels(packages: Iterable<Package>): string[] {
  return Array.from(packages, ({ name, version }) => `${name} ${version}`).toSorted();
}

/** Whether a package fulfils an alternative: written again here, from the policy, so that it can judge. */
export function meets(one: Package, { name, relation, version }: Alternative): boolean {
  const holds = (have: string): boolean => {
    if (relation === undefined || version === undefined) return true;
    const order = compareVersions('deb', { version: have, release: 0 }, { version, release: 0 });
    return { '<<': order < 0, '<=': order <= 0, '=': order === 0, '>=': order >= 0, '>>': order > 0 }[relation];
  };
  if (one.name === name) return holds(one.version);
  return one.provides.some((text) => {
    const provide = parseProvide(text);
    return provide.name === name && (relation === undefined || (provide.version !== undefined && holds(provide.version)));
  });
}

/** What is wrong with a system of these packages; nothing when it is well. */
export function faultsOf(packages: readonly Package[]): string[] {
  const faults: string[] = [];
  const byName = new Map<string, Package[]>();
  for (const one of packages) {
    for (const name of new Set([one.name, ...one.provides.map((text) => parseProvide(text).name)])) byName.set(name, [...(byName.get(name) ?? []), one]);
  }
  const meeting = (alternative: Alternative) => (byName.get(alternative.name) ?? []).filter((one) => meets(one, alternative));
  for (const one of packages) {
    if (packages.length < 50 && packages.some((other) => other !== one && other.name === one.name)) faults.push(`${one.name} twice`);
    for (const text of one.depends) {
      if (!parseDependency(text).some((alternative) => meeting(alternative).length > 0)) faults.push(`${one.name} lacks ${text}`);
    }
    for (const text of [...one.conflicts, ...one.breaks]) {
      for (const other of parseDependency(text).flatMap((alternative) => meeting(alternative))) {
        if (other.name !== one.name) faults.push(`${one.name} excludes ${other.name} by ${text}`);
      }
    }
  }
  if (new Set(packages.map(({ name }) => name)).size !== packages.length) faults.push('a name twice');
  return faults;
}
