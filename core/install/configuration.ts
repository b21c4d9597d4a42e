/**
 * What happens to files that belong to the user: copied when new, replaced only if unmodified, else written beside as
 * `.moss-new`. Pure: from what packages had, have now, and what is on disk, to what is to be done.
 */
import type { FileEntry, LinkEntry } from '../dag/entry.ts';
import type { FileId } from '../dag/file-id.ts';
import { linkTarget, type PackagePath } from '../dag/path.ts';
import type { TreeEntry } from './tree.ts';

/** What lies at a path of the root now. */
export type Observed =
  | { kind: 'none' }
  | { kind: 'file'; id: FileId }
  | { kind: 'symlink'; target: string }
  | { kind: 'directory' }
  | { kind: 'other' };

export type ConfigurationStep =
  | { do: 'directory'; path: PackagePath; mode: number }
  /** Write the package's file. */
  | { do: 'write'; path: PackagePath; file: FileEntry }
  /** The user changed theirs: the package's goes beside it. */
  | { do: 'beside'; path: PackagePath; file: FileEntry }
  | { do: 'symlink'; path: PackagePath; target: string }
  /** Nobody changed it and no package has it any more. */
  | { do: 'delete'; path: PackagePath }
  /** Remove the directory if it is empty. */
  | { do: 'rmdir'; path: PackagePath };

export interface ConfigurationChange {
  /** In the order in which they are to be done. */
  steps: ConfigurationStep[];
  /** Files that the user changed and that stay although no package has them any more. */
  kept: PackagePath[];
}

export function planConfiguration(
  before: readonly TreeEntry[],
  after: readonly TreeEntry[],
  observe: (path: PackagePath) => Observed,
): ConfigurationChange {
  const steps: ConfigurationStep[] = [];
  const kept: PackagePath[] = [];
  const old = new Map(before.map(({ entry }) => [entry.path, entry]));
  const now = new Set(after.map(({ entry }) => entry.path));
  for (const { entry } of after) {
    const there = observe(entry.path);
    const previous = old.get(entry.path);
    if (entry.type === 'directory') {
      if (there.kind === 'none') steps.push({ do: 'directory', path: entry.path, mode: entry.mode });
    } else if (entry.type === 'symlink') {
      const untouched = previous?.type === 'symlink' && isLinkOf(previous, there);
      if (!isLinkOf(entry, there) && (there.kind === 'none' || untouched)) steps.push({ do: 'symlink', path: entry.path, target: entry.target });
    } else {
      const step = fileStep(entry, previous?.type === 'file' ? previous.id : undefined, there);
      if (step !== undefined) steps.push(step);
    }
  }
  for (const { entry } of before.toReversed()) {
    if (now.has(entry.path)) continue;
    const there = observe(entry.path);
    if (entry.type === 'directory') {
      if (there.kind === 'directory') steps.push({ do: 'rmdir', path: entry.path });
    } else if (entry.type === 'file' ? there.kind === 'file' && there.id === entry.id : isLinkOf(entry, there)) {
      steps.push({ do: 'delete', path: entry.path });
    } else if (there.kind !== 'none') kept.push(entry.path);
  }
  return { steps, kept };
}

/** Whether what lies there is a package's link, as it was written. */
export function isLinkOf({ path, target }: LinkEntry, there: Observed): boolean {
  return there.kind === 'symlink' && there.target === linkTarget(path, target);
}

function fileStep(file: FileEntry, previous: FileId | undefined, there: Observed): ConfigurationStep | undefined {
  // Deleted by the user after it was installed: that is a change too, and it stays (Debian policy 10.7.3).
  if (there.kind === 'none') return previous === undefined ? { do: 'write', path: file.path, file } : undefined;
  if (there.kind === 'file' && there.id === file.id) return undefined;
  if (there.kind === 'file' && there.id === previous) return { do: 'write', path: file.path, file };
  // The user changed it, and the package did not: nothing new to show.
  if (previous === file.id) return undefined;
  return { do: 'beside', path: file.path, file };
}
