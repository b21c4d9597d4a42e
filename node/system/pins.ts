/** States that no pruning takes away: noted in `.moss/pins.json`. */
import { existsSync, readFileSync } from 'node:fs';
import { Fields } from '../../core/dag/fields.ts';
import { MossError } from '../../core/error.ts';
import { writeFileDurably } from '../store/durable.ts';
import type { Layout } from '../store/layout.ts';

/** @throws MossError `damaged` */
export function pinnedStates(layout: Layout): Set<number> {
  if (!existsSync(layout.pins)) return new Set();
  try {
    return new Set(new Fields(JSON.parse(readFileSync(layout.pins, 'utf8')), 'damaged', layout.pins).ints('states', 1));
  } catch (cause) {
    throw new MossError('damaged', `the note of pinned states cannot be read: ${layout.pins}`, { hint: 'Remove it, and pin the states again.', cause, data: { path: layout.pins } });
  }
}

export function writePins(layout: Layout, states: ReadonlySet<number>): void {
  writeFileDurably(layout.pins, `${JSON.stringify({ schema: 1, states: [...states].toSorted((a, b) => a - b) })}\n`);
}
