import { contentSize } from '../../core/dag/frame.ts';
import type { FrameRef, Part } from '../../core/dag/manifest.ts';
import type { Table, TableFrame } from '../../core/dag/table.ts';
import { MossError } from '../../core/error.ts';

/**
 * The manifest and the table speak of the same frames.
 *
 * @throws MossError `bad-manifest`
 */
export function checkFrames({ rows, frames, verbatim }: Part, table: Table): void {
  if (
    rows !== table.entries.length ||
    !fit(frames, table.frames) ||
    !fit(verbatim, table.verbatim)
  ) {
    throw new MossError('bad-manifest', 'a file table does not fit the frames of its manifest', {
      hint: 'The package is broken as it was published: tell its publisher.',
    });
  }
}

function fit(refs: readonly FrameRef[], frames: readonly TableFrame[]): boolean {
  return refs.length === frames.length && frames.every((frame, i) => refs[i]?.plain === contentSize(frame.pieces));
}
