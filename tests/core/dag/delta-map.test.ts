import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cidOf, DAG_CBOR, type Cid } from '../../../core/dag/cid.ts';
import { deltaMapBlocks, findDelta, lookUpDeltas, prefixOf, readDeltaMap, type DeltaRef } from '../../../core/dag/delta-map.ts';
import { cborBlock } from '../../../core/dag/block.ts';
import { MossError } from '../../../core/error.ts';
import { nodeHasher } from '../../../node/hasher.ts';

function manifest(text: string): Cid {
  return cidOf(DAG_CBOR, Uint8Array.from(nodeHasher.sha256(Buffer.from(text))));
}

function mapOf(count: number): Map<string, DeltaRef[]> {
  return new Map(
    Array.from({ length: count }, (_, i) => [
      `package-${i}`,
      [1, 2].map((from) => ({ from: prefixOf(manifest(`${i} ${from}`)), to: prefixOf(manifest(`${i} 3`)), cid: manifest(`delta ${i} ${from}`), size: 100 + i })),
    ]),
  );
}

/** The blocks of a map, and who asked for which. */
async function written(map: Map<string, DeltaRef[]>) {
  const blocks = await deltaMapBlocks(map, nodeHasher);
  const byCid = new Map(blocks.map(({ cid, bytes }) => [cid.toString(), bytes]));
  const asked: string[] = [];
  const get = async (cids: readonly Cid[]): Promise<Uint8Array[]> =>
    cids.map((cid) => {
      asked.push(cid.toString());
      return byCid.get(cid.toString()) ?? new Uint8Array();
    });
  return { blocks, top: blocks.at(-1)?.cid ?? manifest('none'), byCid, get, asked };
}

describe('the list of deltas', () => {
  it('is no block where there are no deltas', async () => {
    assert.deepEqual(await deltaMapBlocks(new Map([['a', []]]), nodeHasher), []);
  });

  it('gives back what was put in, of one package or all', async () => {
    for (const count of [1, 2, 50, 3000]) {
      const map = mapOf(count);
      const { top, get, byCid } = await written(map);
      const name = `package-${count - 1}`;
      assert.deepEqual(await lookUpDeltas(top, [name, 'not there', 'package-0'], get), new Map([[name, map.get(name)], ['package-0', map.get('package-0')]]));
      const all = await readDeltaMap(top, async (cid) => byCid.get(cid.toString()) ?? new Uint8Array());
      assert.deepEqual(new Map([...all].toSorted()), new Map([...map].toSorted()));
    }
  });

  it('is read in a few small blocks', async () => {
    const { top, get, asked, byCid } = await written(mapOf(3000));
    await lookUpDeltas(top, ['package-1234'], get);
    assert.ok(asked.length <= 4, `${asked.length} blocks`);
    const bytes = asked.reduce((sum, cid) => sum + (byCid.get(cid)?.length ?? 0), 0);
    assert.ok(bytes < 20_000, `${bytes} bytes`);
  });

  it('shares the blocks that a new package does not touch', async () => {
    const map = mapOf(3000);
    const before = await written(map);
    map.set('package-new', [{ from: prefixOf(manifest('x')), to: prefixOf(manifest('y')), cid: manifest('z'), size: 1 }]);
    const after = await written(map);
    const fresh = [...after.byCid.keys()].filter((cid) => !before.byCid.has(cid));
    assert.ok(fresh.length <= 6, `${fresh.length} of ${after.blocks.length} blocks are new`);
  });

  it('finds the delta between two manifests', async () => {
    const [first] = mapOf(1).values();
    assert.equal(findDelta(first ?? [], manifest('0 2'), manifest('0 3')), first?.[1]);
    assert.equal(findDelta(first ?? [], manifest('0 3'), manifest('0 2')), undefined);
  });

  it('that is malformed, or has no end, is refused', async () => {
    const block = await cborBlock({ deltas: [['name', [[new Uint8Array(8), new Uint8Array(7), manifest('a'), 3]]]] }, nodeHasher);
    const endless = await cborBlock({ children: [['', manifest('loop')]] }, nodeHasher);
    for (const bytes of [block.bytes, endless.bytes, new Uint8Array([0xff])]) {
      await assert.rejects(lookUpDeltas(manifest('top'), ['name'], async () => [bytes]), (error) => error instanceof MossError && error.code === 'bad-index');
    }
  });
});
