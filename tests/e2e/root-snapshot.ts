/** What a person sees of a root: every path below it, but not moss's own records, with content, mode and link target. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** The visible system, through `usr` and its like: one line for each path. */
export function visibleSystem(root: string): string[] {
  const lines: string[] = [];
  for (const top of ['usr', 'etc', 'opt']) if (existsSync(join(root, top))) walk(root, top, lines);
  const current = join(root, '.moss/current');
  return [`current ${existsSync(current) ? readlinkSync(current) : 'none'}`, ...lines.toSorted()];
}

/** All paths below a directory, with their sizes and times: whatever changes there shows. */
export function fingerprintOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((path) => {
      const stat = lstatSync(join(directory, path));
      return `${path} ${stat.mode} ${stat.isFile() ? `${stat.size} ${stat.mtimeMs}` : ''}`;
    });
}

function walk(root: string, path: string, lines: string[]): void {
  // The top is a link to the active state; what is below it is what it is.
  for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
    const below = join(path, entry.name);
    const full = join(root, below);
    if (entry.isDirectory()) {
      lines.push(`directory ${below}`);
      walk(root, below, lines);
    } else if (entry.isSymbolicLink()) lines.push(`link ${below} ${readlinkSync(full)}`);
    else lines.push(`file ${below} ${lstatSync(full).mode.toString(8)} ${createHash('sha256').update(readFileSync(full)).digest('hex')}`);
  }
}
