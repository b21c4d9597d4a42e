/** What is asked of the resolver, and what it answers. */
import type { PackageMetadata } from '../../dag/package.ts';
import type { Alternative } from '../dependency.ts';
import type { Candidate, CandidateSource } from '../index-file.ts';

type Needed =
  | 'name' | 'version' | 'release' | 'architecture' | 'format' | 'depends' | 'recommends' | 'provides' | 'conflicts' | 'breaks'
  | 'replaces' | 'essential';

/** The part of a package that decides whether it fits. */
export type Package = Readonly<Pick<PackageMetadata, Needed>>;

export interface InstalledPackage extends Package {
  /** Whether the user asked for it, rather than another package. */
  readonly explicit: boolean;
}

/** What the user asks for: a name, a virtual package or a capability, perhaps with a relation (`name=version` is `=`). */
export type Requirement = Alternative;

export interface ResolveRequest {
  readonly index: CandidateSource;
  /** What this system can run, best first, such as `['amd64', 'all']`. */
  readonly architectures: readonly string[];
  readonly installed: readonly InstalledPackage[];
  readonly install?: readonly Requirement[];
  /** Names of installed packages. */
  readonly remove?: readonly string[];
  /** Names of installed packages whose newest version is wanted; all of them with `all`. */
  readonly upgrade?: 'all' | readonly string[];
  /** Whether new packages bring along what they recommend, where that is possible. */
  readonly recommends?: boolean;
  /** Whether essential packages may be removed (Debian policy 3.8). */
  readonly allowEssential?: boolean;
  /** The most work to do; see `DEFAULT_STEPS`. */
  readonly steps?: number;
}

export interface Change {
  readonly from: InstalledPackage;
  readonly to: Candidate;
}

export interface Removal {
  readonly package: InstalledPackage;
  readonly name: string;
  /** In words, such as `you asked for it` or `it needs libx (<< 2)`. */
  readonly reason: string;
}

/** What is to be done. Lists are sorted by name. */
export interface Resolution {
  readonly install: readonly Candidate[];
  readonly upgrade: readonly Change[];
  readonly downgrade: readonly Change[];
  readonly remove: readonly Removal[];
  readonly keep: readonly InstalledPackage[];
  /** Of those to be upgraded: the newest, where something stands in its way. */
  readonly heldBack: readonly Change[];
  /**
   * Names of packages that would be there although nobody asked for them and nothing that was asked for needs or
   * recommends them any more. They are still in `keep`, `upgrade` or `downgrade`: the caller decides.
   */
  readonly orphans: readonly string[];
  /** Names of all packages that the user asked for, now or before. */
  readonly explicit: readonly string[];
}
