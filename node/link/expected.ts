/** How entries should be in a state: their modes and owners, which are not always those that their packages give them. */
import type { Entry } from '../../core/dag/entry.ts';
import { EXECUTABLE_MODE, isExecutable, STORE_MODE } from '../store/modes.ts';
import type { Ids } from './packed-entries.ts';
import { specialOf } from './state-tree.ts';

/**
 * The permission bits of an entry; of a symbolic link none.
 *
 * @param isRoot whether root made the state
 */
export function expectedMode(entry: Entry, isRoot: boolean): number {
  if (entry.type === 'symlink') return 0;
  if (entry.type === 'directory') return directoryMode(entry, isRoot);
  return specialOf(entry.mode, entry.owner, isRoot)?.mode ?? (isExecutable(entry.mode) ? EXECUTABLE_MODE : STORE_MODE);
}

/** The mode of a directory in a state: who installs must be able to fill it. */
export function directoryMode({ mode }: { mode: number }, isRoot: boolean): number {
  return isRoot ? mode : mode | 0o700;
}

/** Whose an entry is, where it is not one of the root's own. */
export function expectedOwner({ type, owner }: Entry, isRoot: boolean): Ids | undefined {
  return isRoot && owner !== undefined && type !== 'symlink' ? { uid: owner.uid, gid: owner.gid } : undefined;
}
