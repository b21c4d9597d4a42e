import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseCid } from '../../../core/dag/cid.ts';
import { BlockDirectory } from '../../store/block-directory.ts';
import { serve } from '../../threads/serve.ts';
import { PackageContents } from './contents.ts';
import { makeDelta } from './make-delta.ts';

export interface DeltaTask {
  /** CIDs of the two manifests. */
  from: string;
  to: string;
  /** The directory of the site's blocks. */
  blocks: string;
  /** Where temporary directories may be made. */
  work: string;
}

export interface DeltaResult {
  /** The delta's block. */
  cid: string;
  size: number;
  /** Bytes of its frames. */
  frames: number;
}

serve(async (task: DeltaTask, report): Promise<DeltaResult | undefined> => {
  const work = mkdtempSync(join(task.work, 'delta-'));
  try {
    const blocks = new BlockDirectory(task.blocks);
    const old = await PackageContents.open(parseCid(task.from), blocks, join(work, 'old'));
    const next = await PackageContents.open(parseCid(task.to), blocks, join(work, 'new'));
    const made = await makeDelta(old, next, blocks, (bytes) => report(bytes));
    return made && { cid: made.cid.toString(), size: made.size, frames: made.frames };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});
