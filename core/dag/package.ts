/**
 * What a package says of itself, whatever format it came from. The manifest and the index both hold this; relations
 * are kept as text in Debian's own syntax (`a (>= 1) | b`), parsed by `repo/dependency.ts` where they are needed.
 */

import type { PackagePath } from './path.ts';

/** The format a package came from: it decides how its versions are ordered. */
export const PACKAGE_FORMATS = ['deb', 'stone', 'directory'] as const;
export type PackageFormat = (typeof PACKAGE_FORMATS)[number];

export interface PackageMetadata {
  /** As in Debian policy 5.6.7, but upper case letters and `_` are allowed too. */
  name: string;
  /** As the format writes it: `1:2.39.5-0+deb12u2` for `.deb`. */
  version: string;
  /** The source release of a `.stone`, which orders its versions; 0 elsewhere. */
  release: number;
  /** In Debian's words: `amd64`, `arm64`, ..., or `all` for any. */
  architecture: string;
  format: PackageFormat;
  summary: string;
  description: string;
  homepage: string;
  licences: string[];
  /** Each is one dependency, with alternatives: all of them must hold. Pre-dependencies are among them. */
  depends: string[];
  recommends: string[];
  suggests: string[];
  /** `name` or `name (= version)`. */
  provides: string[];
  conflicts: string[];
  breaks: string[];
  replaces: string[];
  /** Debian policy 3.8: never removed without being asked twice. */
  essential: boolean;
  /** Several packages of this name but of other architectures may hold the same files (`Multi-Arch: same`). */
  multiArch: '' | 'same' | 'foreign' | 'allowed';
  /** The source package, for people. */
  source: string;
}

/** A maintainer script that the package brought, and that moss does not run. */
export interface MaintainerScript {
  /** `preinst`, `postinst`, `prerm`, `postrm`, `config`, `triggers`, ... */
  name: string;
  /** Bytes. */
  size: number;
  /** SHA-256 in hex. */
  sha256: string;
}

/** One link that `update-alternatives --install` would make (update-alternatives(1)). */
export interface Alternative extends AlternativeLink {
  /** The highest wins. */
  priority: number;
  /** Links that follow this one. */
  slaves: AlternativeLink[];
}

export interface AlternativeLink {
  /** The generic name, such as `usr/bin/awk`. */
  link: PackagePath;
  /** The name of the group, such as `awk`. */
  name: string;
  /** What it leads to, such as `usr/bin/mawk`. */
  path: PackagePath;
}
