/** A worker's part of a state's tree. */
import { mkdirSync } from 'node:fs';
import { hasErrno } from '../io-error.ts';
import { Layout } from '../store/layout.ts';
import type { LinkTask } from '../store/tasks.ts';
import { linkFiles } from './link-files.ts';
import { linkSymlinks } from './link-symlinks.ts';
import { unpackLinks } from './packed-links.ts';

export function linkPart({ root, method, packed }: LinkTask): undefined {
  const layout = new Layout(root);
  const { directories, links, symlinks } = unpackLinks(packed, layout);
  const made = new Set([packed.directory]);
  for (const path of directories) makeDirectory(path, made);
  for (const { path } of symlinks) makeDirectory(parentOf(path), made);
  for (const { to } of links) makeDirectory(parentOf(to), made);
  linkSymlinks(layout, symlinks);
  linkFiles(method, links);
  return undefined;
}

/** Other workers make directories at the same time, some of them the same ones. */
function makeDirectory(path: string, made: Set<string>): void {
  if (made.has(path)) return;
  makeDirectory(parentOf(path), made);
  made.add(path);
  try {
    mkdirSync(path, 0o755);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
