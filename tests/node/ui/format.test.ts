import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, formatBytes, formatDuration, formatList, formatNumber, table } from '../../../node/ui/format.ts';

test('bytes have three digits and a decimal unit', () => {
  const cases: [number, string][] = [[0, '0 B'], [999, '999 B'], [1000, '1.00 kB'], [9_996, '10.0 kB'], [99_960, '100 kB'], [999_600, '1.00 MB'], [1_234_567, '1.23 MB'], [5e12, '5.00 TB'], [5e15, '5000 TB']];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

test('thousands are set apart', () => {
  assert.deepEqual([0, 999, 1000, 20_600, 1_234_567, 100_000_000].map(formatNumber), ['0', '999', '1,000', '20,600', '1,234,567', '100,000,000']);
});

test('numbers agree with their nouns', () => {
  assert.deepEqual([count(0, 'file'), count(1, 'file'), count(20_600, 'file'), count(2, 'entry', 'entries')], ['0 files', '1 file', '20,600 files', '2 entries']);
});

test('durations are as exact as they are short', () => {
  assert.deepEqual([0, 421, 13_200, 250_000].map(formatDuration), ['0.00 s', '0.42 s', '13 s', '4 min 10 s']);
});

test('lists are said as people say them', () => {
  assert.deepEqual([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(formatList), ['', 'a', 'a and b', 'a, b and c']);
});

test('columns are as wide as their widest cell, colours aside', () => {
  assert.deepEqual(table([['\u001B[1ma\u001B[22m', 'x'], ['bbb', 'y']]), ['\u001B[1ma\u001B[22m    x', 'bbb  y']);
});
