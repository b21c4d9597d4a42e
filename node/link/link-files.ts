/** Puts files of the store into a tree: reflink, hard link or copy. */
import { chmodSync, chownSync, constants, copyFileSync, linkSync, utimesSync } from 'node:fs';
import { hasErrno } from '../io-error.ts';
import { STORE_MTIME } from '../store/files.ts';

export type LinkMethod = 'reflink' | 'hardlink' | 'copy';

/** A mode and an owner that no store file has. */
export interface Special {
  mode: number;
  uid?: number;
  gid?: number;
}

export interface FileLink {
  /** A file of the store. */
  from: string;
  to: string;
  special?: Special | undefined;
}

/** Links every file; what the file system refuses (too many links, another file system) is copied. */
export function linkFiles(method: LinkMethod, links: Iterable<FileLink>): void {
  for (const { from, to, special } of links) {
    if (special !== undefined) placeSpecial(from, to, special);
    else if (method === 'hardlink') linkOrCopy(from, to);
    else copy(from, to, method === 'reflink' ? constants.COPYFILE_FICLONE : 0);
  }
}

/** EMLINK: 65,000 links per inode on ext4. EXDEV: the store is on another file system. EPERM: a file system without links. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!hasErrno(error, 'EMLINK', 'EXDEV', 'EPERM', 'ENOTSUP')) throw error;
    copy(from, to, constants.COPYFILE_FICLONE);
  }
}

/** With the time of store files, so that it shows when somebody wrote to the copy. */
function copy(from: string, to: string, how: number): void {
  copyFileSync(from, to, how);
  utimesSync(to, STORE_MTIME, STORE_MTIME);
}

/** A mode or owner of its own needs an inode of its own. */
function placeSpecial(from: string, to: string, special: Special): void {
  copy(from, to, constants.COPYFILE_FICLONE);
  // The owner first: changing it takes setuid away.
  if (special.uid !== undefined && special.gid !== undefined) chownSync(to, special.uid, special.gid);
  chmodSync(to, special.mode);
}
