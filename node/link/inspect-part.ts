/** A worker's part of holding a state against what was signed: it looks at entries, and reads files. */
import { closeSync } from 'node:fs';
import { isContentOfOpen, openToRead } from '../store/files.ts';
import { INTACT, UNREAD, WRONG, type InspectResult, type InspectTask } from '../store/tasks.ts';
import { PROBLEMS, StateLook } from './look.ts';
import { unpackEntries } from './packed-entries.ts';

export async function inspectPart({ packed }: InspectTask): Promise<InspectResult> {
  const count = packed.types.length;
  const result: InspectResult = { problems: new Uint8Array(count), content: new Uint8Array(count), dev: new Float64Array(count), ino: new Float64Array(count) };
  const look = new StateLook(packed.directory, packed.owners);
  let i = 0;
  for (const entry of unpackEntries(packed)) {
    // To look at what is open costs half of looking a path up once more.
    const opened = entry.reads && look.reaches(entry.path) ? openToRead(entry.path) : undefined;
    try {
      const { problem, inode } = look.entry(entry, opened);
      result.problems[i] = problem === undefined ? 0 : PROBLEMS.indexOf(problem) + 1;
      if (inode !== undefined) [result.dev[i], result.ino[i]] = [inode.dev, inode.ino];
      result.content[i] = !entry.reads || inode === undefined ? UNREAD : opened !== undefined && (await isContentOfOpen(opened, entry)) ? INTACT : WRONG;
    } finally {
      if (opened !== undefined) closeSync(opened);
    }
    i++;
  }
  return result;
}
