import assert from 'node:assert/strict';
import { it } from 'node:test';
import { array, assert as assertProperty, constantFrom, nat, property, tuple } from 'fast-check';
import { EMPTY_LEDGER, mostFirst, received, sumsOf } from '../../../core/exchange/ledger.ts';

it('a ledger adds up to what came, by kind and by source, and leaves the one before as it was', () => {
  const event = tuple(constantFrom('a', 'b', 'c'), constantFrom('webseed' as const, 'lan' as const, 'swarm' as const, 'donor' as const), nat());
  assertProperty(
    property(array(event), (events) => {
      let ledger = EMPTY_LEDGER;
      for (const [source, kind, bytes] of events) ledger = received(ledger, source, kind, bytes);
      const { delta, here, ...sums } = sumsOf(ledger, { delta: 3, here: 4 });
      assert.deepEqual([delta, here], [3, 4]);
      assert.equal(Object.values(sums).reduce((sum, bytes) => sum + bytes, 0), events.reduce((sum, [, , bytes]) => sum + bytes, 0));
      assert.equal(sums.lan, events.reduce((sum, [, kind, bytes]) => sum + (kind === 'lan' ? bytes : 0), 0));
      const sizes = mostFirst(ledger).map(({ bytes }) => bytes);
      assert.deepEqual(sizes, sizes.toSorted((a, b) => b - a));
    }),
  );
  assert.deepEqual(EMPTY_LEDGER, []);
});
