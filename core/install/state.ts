/** A state of the system: which packages, why, and which components of each. */
import type { Cid } from '../dag/cid.ts';
import type { PackageFormat } from '../dag/package.ts';

/** What the user said of a package's components: later versions keep to it, whatever the settings say. */
export interface ComponentWishes {
  with: string[];
  without: string[];
}

export interface InstalledPackage {
  name: string;
  version: string;
  release: number;
  architecture: string;
  format: PackageFormat;
  manifest: Cid;
  /** The name of the repository it came from. */
  repository: string;
  /** Asked for by the user; else it is here because another package needs it. */
  explicit: boolean;
  /** The components that are installed; others of the manifest were left out. */
  components: string[];
  /** Missing where nothing was said. */
  wishes?: ComponentWishes | undefined;
}

export interface State {
  number: number;
  /** Milliseconds since the Unix epoch. */
  created: number;
  /** The command that made it, for people. */
  reason: string;
  packages: InstalledPackage[];
}
