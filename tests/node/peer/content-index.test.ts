import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DAG_PB, RAW } from '../../../core/dag/cid.ts';
import { ContentIndex, PLACES } from '../../../node/peer/content-index.ts';

const digest = (n: number): Buffer => createHash('sha256').update(String(n)).digest();

test('what was put in is found, and nothing else', () => {
  const item = fc.record({ n: fc.nat(200), codec: fc.constantFrom(RAW, DAG_PB), place: fc.constantFrom(...PLACES), size: fc.nat(2 ** 40) });
  fc.assert(
    fc.property(fc.array(item, { maxLength: 100 }), (items) => {
      const index = new ContentIndex(items.map(({ n, codec, place, size }) => ({ digest: digest(n), codec, place, size })));
      for (let n = 0; n <= 201; n++) {
        for (const codec of [RAW, DAG_PB]) {
          const first = items.find((each) => each.n === n && each.codec === codec);
          assert.deepEqual(index.find(digest(n), codec), first && { place: first.place, size: first.size });
        }
      }
    }),
    { numRuns: 30 },
  );
});
