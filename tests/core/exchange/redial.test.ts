/** When an address is dialled again. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Redial } from '../../../core/exchange/redial.ts';

describe('dialling again', () => {
  test('an address is tried at once, then after 4 seconds, and twice as long each time, up to a minute', () => {
    const redial = new Redial();
    const triedAt: number[] = [];
    for (let now = 0; now <= 250_000; now += 1000) if (redial.due('peer', ['a'], now).length > 0) triedAt.push(now / 1000);
    assert.deepEqual(triedAt, [0, 4, 12, 28, 60, 120, 180, 240]);
  });

  test('another address of a peer that could not be reached is tried at once, and it alone', () => {
    const redial = new Redial();
    assert.deepEqual(redial.due('peer', ['old'], 0), ['old']);
    assert.deepEqual(redial.due('peer', ['old', 'new'], 1), ['new']);
    assert.deepEqual(redial.due('peer', ['old', 'new'], 2), []);
    assert.deepEqual(redial.due('peer', ['old', 'new'], 4001), ['old', 'new']);
  });

  test('whoever was reached is tried at once when it is lost', () => {
    const redial = new Redial();
    redial.due('peer', ['a'], 0);
    redial.due('peer', ['a'], 4000);
    redial.reached('peer');
    assert.deepEqual(redial.due('peer', ['a'], 4001), ['a']);
    assert.deepEqual(redial.due('peer', ['a'], 8001), ['a'], 'and the wait is the first one again');
  });

  test('who names ever more peers and addresses has the oldest forgotten, and is dialled at 32 addresses of one peer at most', () => {
    const redial = new Redial();
    redial.due('first', ['a'], 0);
    assert.equal(redial.due('liar', Array.from({ length: 5000 }, (_, i) => `address ${i}`), 0).length, 32);
    for (let i = 0; i < 1023; i++) redial.due(`peer ${i}`, ['a'], 0);
    assert.deepEqual(redial.due('peer 1022', ['a'], 0), [], 'the last ones are known');
    assert.deepEqual(redial.due('first', ['a'], 0), ['a'], 'the first one is not');
  });
});
