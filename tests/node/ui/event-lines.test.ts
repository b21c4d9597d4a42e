import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MossEvent } from '../../../core/install/event.ts';
import { EventLines } from '../../../node/ui/event-lines.ts';

test('a thousand reads are one line for each source, before whatever comes next, and no byte is lost', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const written: MossEvent[] = [];
  const lines = new EventLines((event) => written.push(event));
  for (let i = 0; i < 1000; i++) lines.take({ type: 'received', source: i % 2 === 0 ? 'a' : 'b', kind: 'webseed', bytes: i });
  assert.deepEqual(written, []);
  lines.take({ type: 'step', step: 'store' });
  assert.deepEqual(written, [
    { type: 'received', source: 'a', kind: 'webseed', bytes: 249_500 },
    { type: 'received', source: 'b', kind: 'webseed', bytes: 250_000 },
    { type: 'step', step: 'store' },
  ]);
  lines.take({ type: 'received', source: 'a', kind: 'lan', bytes: 7 });
  lines.take({ type: 'done', unit: 'bytes', count: 7 });
  assert.equal(written.length, 4);
  t.mock.timers.tick(100);
  assert.deepEqual(written.at(-1), { type: 'received', source: 'a', kind: 'lan', bytes: 7 });
});
