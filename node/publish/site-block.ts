/** Reads the publisher's own blocks: a disk may have lost or altered one. */
import type { Cid } from '../../core/dag/cid.ts';
import { verifyBlock } from '../../core/dag/block.ts';
import { MossError } from '../../core/error.ts';
import { nodeHasher } from '../hasher.ts';
import type { BlockDirectory } from '../store/block-directory.ts';

/**
 * A block of the site, checked.
 *
 * @param ofPackage whether it comes back when its package is published again
 * @throws MossError `damaged`
 */
export async function siteBlock(blocks: BlockDirectory, cid: Cid, { ofPackage }: { ofPackage: boolean }): Promise<Uint8Array> {
  const bytes = await blocks.get(cid);
  const back = ofPackage ? 'publish the packages of the repository again, or restore it from a copy.' : 'restore the repository from a copy.';
  if (bytes === undefined) throw new MossError('damaged', `the site has lost the block ${cid.toString()}`, { hint: `To have it back, ${back}` });
  try {
    await verifyBlock(cid, bytes, nodeHasher);
  } catch (cause) {
    throw new MossError('damaged', `a block of the site was altered: ${blocks.pathOf(cid)}`, { hint: `Remove it, and ${back}`, cause });
  }
  return bytes;
}
