import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MossEvent } from '../../../core/install/event.ts';
import { Progress } from '../../../node/ui/progress.ts';
import { Rate } from '../../../core/exchange/rate.ts';

const FETCH: MossEvent[] = [
  { type: 'step', step: 'fetch' },
  { type: 'total', unit: 'files', count: 20 },
  { type: 'total', unit: 'bytes', count: 2_000_000 },
  { type: 'received', source: 'http://mirror.example', kind: 'webseed', bytes: 1_500_000 },
  { type: 'done', unit: 'files', count: 15 },
  { type: 'done', unit: 'bytes', count: 1_500_000 },
];

function show(events: readonly MossEvent[], { line, columns = 80 }: { line: boolean; columns?: number }): string[] {
  const written: string[] = [];
  const progress = new Progress({ stream: { columns, write: (text: string | Uint8Array) => written.push(String(text)) > 0 }, line, quiet: false });
  for (const event of events) progress.take(event);
  progress.end();
  return written;
}

describe('progress', () => {
  test('without a terminal each step with figures is one line, once it is done', () => {
    const [fetched, stored, ...rest] = show([...FETCH, { type: 'step', step: 'store' }, { type: 'done', unit: 'files', count: 20 }, { type: 'step', step: 'seal' }], { line: false });
    assert.match(fetched ?? '', /^Fetched 20 files, 2\.00 MB at \S+ \wB\/s from mirror\.example 1\.50 MB in [\d.]+ s\n$/);
    assert.match(stored ?? '', /^Stored 20 files in [\d.]+ s\n$/, 'no rate where nothing is received');
    assert.deepEqual(rest, [], 'a short step without figures says nothing');
  });

  test('a step that was cut short says what it did, not what it should have done', () => {
    assert.match(show(FETCH, { line: false }).join(''), /^Fetching 15 files, 1\.50 MB /);
  });

  test('on a terminal there is one line that fits, and it is gone at the end', () => {
    for (const columns of [20, 40, 60, 80, 200]) {
      const written = show(FETCH, { line: true, columns });
      assert.equal(written.at(-1), '\r\u001B[K');
      for (const text of written) {
        assert.ok(text.startsWith('\r') && text.endsWith('\u001B[K') && !text.includes('\n'), JSON.stringify(text));
        assert.ok(text.length - '\r\u001B[K'.length < columns, `${columns}: ${text}`);
      }
    }
  });
});

describe('the rate', () => {
  test('is what came over the last seconds, from the first byte on', () => {
    const rate = new Rate();
    assert.equal(rate.perSecond(0), 0);
    for (let now = 1000; now <= 2000; now += 10) rate.add(1000, now);
    assert.ok(Math.abs(rate.perSecond(2000) - 101_000) < 1);
    assert.equal(rate.perSecond(60_000), 0);
  });
});
