import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cidOf, RAW } from '../../../core/dag/cid.ts';
import { FetchedBlocks, MOST_FETCHED } from '../../../node/system/fetched-blocks.ts';

test('fetched blocks are given away once, and no more of them are kept than have room', () => {
  const [a, b, c] = [1, 2, 3].map((byte) => cidOf(RAW, new Uint8Array(32).fill(byte)));
  assert.ok(a && b && c);
  const blocks = new FetchedBlocks();
  const [large, small] = [new Uint8Array(MOST_FETCHED - 10), new Uint8Array(11)];
  blocks.put(a, large);
  blocks.put(a, large);
  blocks.put(b, small);
  assert.equal(blocks.take(b), undefined);
  assert.equal(blocks.take(a), large);
  assert.equal(blocks.take(a), undefined);
  blocks.put(c, small);
  assert.equal(blocks.take(c), small);
});
