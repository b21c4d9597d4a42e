/** Files that peers sent one by one, into the staging directory: each is checked before it is written. */
import { sameBytes } from '../../core/dag/block.ts';
import { LEAF_SIZE } from '../../core/dag/file-id.ts';
import { nodeHasher } from '../hasher.ts';
import { isContentOf } from './files.ts';
import { Layout } from './layout.ts';
import type { TakeResult, TakeTask } from './tasks.ts';
import { writePart, writeStaged } from './write-staged.ts';

export function takeUnits({ root, units }: TakeTask): TakeResult {
  const layout = new Layout(root);
  const result: TakeResult = { good: [], runs: [] };
  for (const { id, modes, content, leaf } of units) {
    const isRight = leaf === undefined ? isContentOf(id, content) : sameBytes(nodeHasher.sha256(content), leaf.sha256);
    result.good.push(isRight);
    if (!isRight) continue;
    if (leaf === undefined) writeStaged(layout, { id, modes }, content);
    else {
      const offset = leaf.index * LEAF_SIZE;
      writePart(layout.partial(id), content, offset);
      result.runs.push({ id, offset, length: content.length, leaves: [leaf.sha256] });
    }
  }
  return result;
}
