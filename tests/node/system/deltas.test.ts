import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cborBlock, rawBlock, type Block } from '../../../core/dag/block.ts';
import { DAG_CBOR, cidOf, type Cid } from '../../../core/dag/cid.ts';
import { decodeCbor } from '../../../core/dag/codec.ts';
import { decodeDelta, deltaPair, encodeDelta, expandManifest, type Delta, type DeltaFrame } from '../../../core/dag/delta.ts';
import { deltaMapBlocks, readDeltaMap } from '../../../core/dag/delta-map.ts';
import { decodeRoot, rootValue } from '../../../core/dag/root.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { BlockDirectory } from '../../../node/store/block-directory.ts';
import { nodeCompressor } from '../../../node/zstd.ts';
import { currentRoot } from '../../../node/trust/current.ts';
import { noise } from '../../e2e/fixture.ts';
import { visibleSystem } from '../../e2e/root-snapshot.ts';
import { ReleaseHistory, type Tree, type Updated } from '../../fixtures/release-history.ts';
import { translations } from '../../fixtures/translations.ts';

const MEGABYTE = 1024 * 1024;

/** Two files of one leaf, one of several, a document, and translations that have a dictionary; the version is in each. */
function tree(version: number): Tree {
  const stamped = (length: number, seed: number): Buffer => Buffer.concat([noise(length, seed), Buffer.from(`version ${version}`)]);
  return {
    'usr/bin/app': stamped(200_000, 1),
    'usr/lib/app': stamped(150_000, 2),
    'usr/share/app/large': stamped(2 * MEGABYTE, 3),
    'usr/share/doc/app/changelog.gz': `${version}\n${noise(3000, 4).toString('base64')}`,
    ...translations(version),
  };
}

async function frameOf(content: Uint8Array): Promise<Block> {
  return rawBlock(nodeCompressor.compress(content, { level: 3 }), nodeHasher);
}

describe('a delta that its publisher made wrong', () => {
  let history: ReleaseHistory;
  let blocks: BlockDirectory;
  let expected: string[];
  let roots = 0;

  before(async () => {
    history = await ReleaseHistory.begin();
    await history.release(tree(1));
    for (let i = 0; i < 13; i++) await history.follow(`wrong-${i}`);
    const { deltas } = await history.release(tree(2));
    assert.equal(deltas, 1);
    await history.follow('fresh');
    expected = visibleSystem(history.root('fresh')).slice(1);
    blocks = new BlockDirectory(join(history.site, 'blocks'));
  });
  after(() => history.remove());

  const block = async (cid: Cid): Promise<Uint8Array> => readFileSync(blocks.pathOf(cid));
  const put = async ({ cid, bytes }: Block): Promise<Cid> => {
    await blocks.put(cid, bytes);
    return cid;
  };
  /** Lists another delta instead of the right one, signed as if nothing was, and updates a root. */
  const update = async (change: (delta: Delta, oldManifest: unknown) => Promise<Uint8Array>): Promise<Updated> => {
    const top = (await currentRoot(history.repository)) ?? assert.fail('a root');
    const root = decodeRoot(await block(top));
    const [[name, [ref]] = ['', []]] = [...(await readDeltaMap(original ?? root.deltas ?? top, block))] as unknown as [string, { from: Uint8Array; to: Uint8Array; cid: Cid }[]][];
    original ??= root.deltas;
    assert.ok(ref !== undefined);
    const bytes = await block(ref.cid);
    const oldManifest = await expandManifest(decodeCbor(await block(deltaPair(bytes).from), 'bug', 'a manifest'), nodeCompressor);
    const wrong = await change(await decodeDelta(bytes, async () => oldManifest, nodeCompressor), oldManifest);
    const cid = await put({ cid: cidOf(DAG_CBOR, nodeHasher.sha256(wrong)), bytes: wrong });
    const map = await deltaMapBlocks(new Map([[name, [{ from: ref.from, to: ref.to, cid, size: wrong.length }]]]), nodeHasher);
    for (const each of map) await put(each);
    const next = await cborBlock(rootValue({ ...root, revision: root.revision + 1, deltas: map.at(-1)?.cid, previous: top }), nodeHasher);
    await history.sign({ cid: await put(next), size: next.bytes.length });
    return history.follow(`wrong-${roots++}`);
  };
  let original: Cid | undefined;
  /** As `update`, for a change of one frame, or all. */
  const updateFrames = (change: (frame: DeltaFrame) => Promise<DeltaFrame> | DeltaFrame): Promise<Updated> =>
    update(async (delta, oldManifest) => encodeDelta({ ...delta, frames: await Promise.all(delta.frames.map(change)) }, oldManifest, nodeCompressor));
  const isRight = ({ warnings }: Updated): void => {
    assert.deepEqual(visibleSystem(history.root(`wrong-${roots - 1}`)).slice(1), expected);
    assert.ok(warnings.some((warning) => /not used/.test(warning)), `a warning: ${warnings.join('; ')}`);
  };

  it('is used when it is right', async () => {
    const { warnings, change, saved } = await updateFrames((frame) => frame);
    assert.deepEqual([visibleSystem(history.root('wrong-0')).slice(1), warnings], [expected, []]);
    assert.ok(change.plan.deltas > 0 && saved > 0);
  });

  it('with frames that unpack to far more than they say: full frames come instead', async () => {
    const bomb = await frameOf(Buffer.alloc(20 * MEGABYTE));
    await put(bomb);
    isRight(await updateFrames((frame) => ({ ...frame, ref: { ...frame.ref, cid: bomb.cid, size: bomb.bytes.length } })));
  });

  it('with frames that hold other bytes of the right length', async () => {
    isRight(
      await updateFrames(async (frame) => {
        const other = await frameOf(Buffer.alloc(frame.ref.plain, 'wrong'));
        await put(other);
        return { ...frame, bases: [], filter: undefined, ref: { ...frame.ref, cid: other.cid, size: other.bytes.length } };
      }),
    );
  });

  it('with the wrong dictionary', async () => {
    isRight(await updateFrames((frame) => ({ ...frame, bases: frame.bases.map((run) => ({ ...run, length: run.length - 1 })) })));
  });

  it('with sizes that lie', async () => {
    isRight(await updateFrames((frame) => ({ ...frame, ref: { ...frame.ref, plain: frame.ref.plain - 1 } })));
    isRight(await updateFrames((frame) => ({ ...frame, ref: { ...frame.ref, size: 1 } })));
  });

  it('with bases beyond the end of their files, or in no file', async () => {
    isRight(await updateFrames((frame) => ({ ...frame, bases: frame.bases.map((run) => ({ ...run, length: run.length + 1 })) })));
    isRight(await updateFrames((frame) => ({ ...frame, bases: [{ part: 0, file: 10_000, offset: 0, length: 1 }] })));
  });

  it('with blocks that are nowhere', async () => {
    const updated = await updateFrames((frame) => ({ ...frame, ref: { ...frame.ref, cid: cidOf(DAG_CBOR, new Uint8Array(32)) } }));
    isRight(updated);
    assert.deepEqual([updated.change.plan.deltas > 0, updated.saved], [true, 0], 'and nothing is said to have been saved');
  });

  it('about other versions than the list says', async () => {
    isRight(await update((delta, oldManifest) => encodeDelta({ ...delta, from: delta.to }, oldManifest, nodeCompressor)));
  });

  it('with a manifest that is not the one that was signed', async () => {
    isRight(await update((delta, oldManifest) => encodeDelta({ ...delta, manifest: { ...(delta.manifest as object), summary: 'forged' } }, oldManifest, nodeCompressor)));
  });

  it('that is no delta at all', async () => {
    isRight(await update(async () => Buffer.from('nothing of the kind')));
  });
});
