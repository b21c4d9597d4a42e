/** Files that peers sent as deltas against files of the store, into the staging directory: each is checked before it is written. */
import { writeFileSync } from 'node:fs';
import { fileIdFromLeaves, LEAF_SIZE, type FileId } from '../../core/dag/file-id.ts';
import { MossError } from '../../core/error.ts';
import type { Taken } from '../../core/exchange/fetch-deltas.ts';
import { release } from '../../core/release.ts';
import { nodeHasher } from '../hasher.ts';
import { nodeCompressor } from '../zstd.ts';
import { isContentOf } from './files.ts';
import { Layout } from './layout.ts';
import type { PatchedUnit, PatchResult, PatchTask } from './tasks.ts';
import { alteredBase, readBases } from './unpack.ts';
import { writeStaged } from './write-staged.ts';

export async function patchUnits({ root, units }: PatchTask): Promise<PatchResult> {
  const layout = new Layout(root);
  const patched: Taken[] = [];
  for (const unit of units) patched.push(await patch(unit, layout));
  return { patched };
}

async function patch({ id, modes, bytes, content, base }: PatchedUnit, layout: Layout): Promise<Taken> {
  let dictionary: Uint8Array | undefined;
  try {
    dictionary = readBases(layout, [{ ...base, offset: 0, length: base.unpacked ?? base.size }], undefined);
  } catch (error) {
    if (error instanceof MossError && error.code !== 'bug') return 'unusable';
    throw error;
  }
  const plain = unpack(content, bytes, dictionary);
  // Whether a document is right shows once it is packed.
  const isRight = plain !== undefined && (base.unpacked !== undefined || (await isFile(id, plain)));
  if (isRight) {
    if (base.unpacked === undefined) writeStaged(layout, { id, modes }, plain);
    else writeFileSync(`${layout.recipes}/${id}`, plain);
    release(plain);
    return 'right';
  }
  // Whose fault it is decides who is blamed.
  return (await alteredBase(layout, [base])) === undefined ? 'wrong' : 'unusable';
}

/** Nothing beyond `size` bytes is ever allocated. */
function unpack(content: Uint8Array, size: number, dictionary: Uint8Array | undefined): Uint8Array | undefined {
  try {
    return nodeCompressor.decompress(content, { size, dictionary });
  } catch (error) {
    if (error instanceof MossError && error.code === 'bad-frame') return undefined;
    throw error;
  }
}

async function isFile(id: FileId, content: Uint8Array): Promise<boolean> {
  if (content.length <= LEAF_SIZE) return isContentOf(id, content);
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += LEAF_SIZE) leaves.push(nodeHasher.sha256(content.subarray(at, at + LEAF_SIZE)));
  return (await fileIdFromLeaves(leaves, content.length, nodeHasher)) === id;
}
