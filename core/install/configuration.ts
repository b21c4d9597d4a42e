/**
 * What happens to files that belong to the user: copied when new, replaced only if unmodified, else written beside as
 * `.moss-new`. Pure: from what packages had, have now, and what is on disk, to what is to be done.
 */
import type { Entry, FileEntry, LinkEntry } from '../dag/entry.ts';
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

export interface Removal {
  /** In the order in which they are to be done. */
  steps: ConfigurationStep[];
  /** Files that the user changed and that stay although no package has them any more. */
  kept: PackagePath[];
}

/**
 * What goes before anything is written, the innermost first: what no package has any more, and a directory where
 * something else is to be, or the other way round.
 */
export function leavingEntries(before: readonly TreeEntry[], after: readonly TreeEntry[]): TreeEntry[] {
  const now = new Map(after.map(({ entry }) => [entry.path, entry.type === 'directory']));
  return before.toReversed().filter(({ entry }) => now.get(entry.path) !== (entry.type === 'directory'));
}

export function planRemoval(leaving: readonly TreeEntry[], observe: (path: PackagePath) => Observed): Removal {
  const steps: ConfigurationStep[] = [];
  const kept: PackagePath[] = [];
  for (const { entry } of leaving) {
    const there = observe(entry.path);
    if (entry.type === 'directory') {
      if (there.kind === 'directory') steps.push({ do: 'rmdir', path: entry.path });
    } else if (isAs(entry, there)) steps.push({ do: 'delete', path: entry.path });
    else if (there.kind !== 'none') kept.push(entry.path);
  }
  return { steps, kept };
}

/** What is written then: `observe` tells what lies there after the removal. */
export function planConfiguration(before: readonly TreeEntry[], after: readonly TreeEntry[], observe: (path: PackagePath) => Observed): ConfigurationStep[] {
  const steps: ConfigurationStep[] = [];
  const old = new Map(before.map(({ entry }) => [entry.path, entry]));
  for (const { entry } of after) {
    const there = observe(entry.path);
    const previous = old.get(entry.path);
    if (entry.type === 'directory') {
      if (there.kind === 'none') steps.push({ do: 'directory', path: entry.path, mode: entry.mode });
    } else if (entry.type === 'symlink') {
      if (!isAs(entry, there) && (there.kind === 'none' || isAs(previous, there))) steps.push({ do: 'symlink', path: entry.path, target: entry.target });
    } else {
      const step = fileStep(entry, previous, there);
      if (step !== undefined) steps.push(step);
    }
  }
  return steps;
}

/** Whether a file or link is as a package has it. */
function isAs(entry: Entry | undefined, there: Observed): boolean {
  if (entry?.type === 'file') return there.kind === 'file' && there.id === entry.id;
  return entry?.type === 'symlink' && isLinkOf(entry, there);
}

/** Whether what lies there is a package's link, as it was written. */
export function isLinkOf({ path, target }: LinkEntry, there: Observed): boolean {
  return there.kind === 'symlink' && there.target === linkTarget(path, target);
}

function fileStep(file: FileEntry, previous: Entry | undefined, there: Observed): ConfigurationStep | undefined {
  // Deleted by the user after it was installed: that is a change too, and it stays (Debian policy 10.7.3).
  if (there.kind === 'none') return previous?.type === 'file' ? undefined : { do: 'write', path: file.path, file };
  if (isAs(file, there)) return undefined;
  if (isAs(previous, there)) return { do: 'write', path: file.path, file };
  // The user changed it, and the package did not: nothing new to show.
  if (previous?.type === 'file' && previous.id === file.id) return undefined;
  return { do: 'beside', path: file.path, file };
}
