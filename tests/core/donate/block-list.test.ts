import assert from 'node:assert/strict';
import { it } from 'node:test';
import { cidOf, DAG_CBOR, RAW, type Cid } from '../../../core/dag/cid.ts';
import { BlockList } from '../../../core/donate/block-list.ts';
import { nodeHasher } from '../../../node/hasher.ts';

function numbered(number: number): Cid {
  return cidOf(number % 3 === 0 ? DAG_CBOR : RAW, nodeHasher.sha256(Buffer.from(String(number))));
}

it('a list of blocks finds each of many by its CID, once, with its size and its packages', () => {
  const list = new BlockList();
  for (let i = 0; i < 5000; i++) assert.equal(list.add({ cid: numbered(i), size: i }, i % 7), i);
  assert.equal(list.add({ cid: numbered(4), size: 4 }, 4), 4);
  assert.equal(list.add({ cid: numbered(4), size: 4 }, 6), 4);
  assert.equal(list.count, 5000);
  assert.equal(list.bytes, (4999 * 5000) / 2);
  for (let i = 0; i < 5000; i++) {
    assert.equal(list.find(numbered(i)), i);
    assert.ok(list.cid(i).equals(numbered(i)));
    assert.equal(list.size(i), i);
    assert.deepEqual(list.owners(i), i === 4 ? [4, 6] : [i % 7]);
  }
  for (let i = 5000; i < 6000; i++) assert.equal(list.find(numbered(i)), undefined);
  // The same bytes as another kind of block are another block.
  assert.equal(list.find(cidOf(RAW, numbered(3).multihash.digest)), undefined);
});
