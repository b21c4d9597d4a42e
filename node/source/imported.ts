/** What an importer makes of a package file: metadata and checked entries; the content of files lies in a spool. */
import type { Entry } from '../../core/dag/entry.ts';
import type { FileId } from '../../core/dag/file-id.ts';
import type { Alternative, MaintainerScript, PackageMetadata } from '../../core/dag/package.ts';
import type { PackagePath } from '../../core/dag/path.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';

export interface ImportedPackage {
  metadata: PackageMetadata;
  /** In path order (`comparePaths`), no path twice, every parent that is listed a directory; no recipes yet. */
  entries: Entry[];
  /** Maintainer scripts, which are recorded and never run. */
  scripts: MaintainerScript[];
  alternatives: Alternative[];
  /** Files that belong to the user once installed, beyond what lies in `etc/`. */
  conffiles: PackagePath[];
  /** Whether peers may tell others that they have it; yes unless the package says no. */
  announce?: boolean | undefined;
  /** The component of a path, where the package divides itself; otherwise `componentOf` decides. */
  componentOf?: ((path: PackagePath) => string) | undefined;
}

/** What was put into a spool. */
export interface Spooled {
  id: FileId;
  /** Bytes. */
  size: number;
}

/** A place for the content of files while a package is imported: each content once, by its id. */
export interface Spool {
  /**
   * Takes content in, hashing it on the way.
   *
   * @param size the exact number of bytes that must come; more or fewer is a `bad-package` error
   */
  add(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, size: number): Promise<Spooled>;
}

export interface ImportLimits {
  /** Most entries in one package. */
  entries: number;
  /** Most bytes of one package, unpacked. */
  bytes: number;
}

/** Far above every package of Debian (the largest unpacks to about 10 GB, and 330,000 entries). */
export const DEFAULT_LIMITS: ImportLimits = { entries: 2_000_000, bytes: 64 * 2 ** 30 };

export interface ImportOptions extends AbortOptions {
  spool: Spool;
  limits?: ImportLimits | undefined;
}

/** Reads one package file (or directory) whole: errors name the file, and the offset or path. */
export type Importer = (file: string, options: ImportOptions) => Promise<ImportedPackage>;
