import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { filterModule } from '../../../build/filter.ts';
import { applyFilter, undoFilter } from '../../../core/dag/filter.ts';
import { referenceFilter } from './reference-filter.ts';

/** Mostly bytes that mean something to the filter. */
const code = fc.array(fc.oneof(fc.constantFrom(0xe8, 0xe9, 0x48, 0x4c, 0x8b, 0x8d, 0x05, 0x0d, 0xff, 0x00), fc.nat(255)), { maxLength: 400 });

function filtered(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  applyFilter('x86-64', copy);
  return copy;
}

test('any content comes back from the filter', () => {
  fc.assert(fc.property(code, (numbers) => {
    const bytes = Uint8Array.from(numbers);
    const changed = filtered(bytes);
    undoFilter('x86-64', changed);
    assert.deepEqual(changed, bytes);
  }), { numRuns: 5000 });
});

test('a real program comes back, and much of it had changed', () => {
  const program = new Uint8Array(readFileSync(process.execPath).subarray(0, 16 * 1024 * 1024));
  const changed = filtered(program);
  assert.notDeepEqual(Buffer.compare(changed, program), 0);
  undoFilter('x86-64', changed);
  assert.equal(Buffer.compare(changed, program), 0);
});

test('the filter is what its definition says, at any address and length', () => {
  const content = fc.tuple(code, fc.constantFrom(0, 16, 65_520, 65_536, 131_060), fc.nat(64));
  fc.assert(fc.property(content, fc.nat(2 ** 31), ([numbers, before, after], start) => {
    const bytes = new Uint8Array(before + numbers.length + after);
    bytes.set(numbers, before);
    for (const isUndoing of [false, true]) {
      const [expected, got] = [Uint8Array.from(bytes), Uint8Array.from(bytes)];
      referenceFilter(expected, start, isUndoing);
      (isUndoing ? undoFilter : applyFilter)('x86-64', got, start);
      assert.equal(Buffer.compare(got, expected), 0);
    }
  }), { numRuns: 2000 });
});

test('a real program is filtered as the definition says', () => {
  const program = new Uint8Array(readFileSync(process.execPath).subarray(0, 4 * 1024 * 1024));
  const [expected, got] = [Uint8Array.from(program), Uint8Array.from(program)];
  referenceFilter(expected, 4096, false);
  applyFilter('x86-64', got, 4096);
  assert.equal(Buffer.compare(got, expected), 0);
});

test('the code is the assembled source', async () => {
  assert.equal(readFileSync(new URL('../../../core/dag/x86-64-filter.ts', import.meta.url), 'utf8'), await filterModule());
});

test('calls of one target from two places look the same', () => {
  const bytes = new Uint8Array(64);
  bytes.set([0xe8, 0x30, 0, 0, 0], 0);
  bytes.set([0xe8, 0x1b, 0, 0, 0], 21);
  const changed = filtered(bytes);
  // Both lead to 0x35, big-endian.
  assert.deepEqual([...changed.subarray(1, 5)], [0, 0, 0, 0x35]);
  assert.deepEqual([...changed.subarray(22, 26)], [0, 0, 0, 0x35]);
});

test('operands relative to RIP are rewritten, others are not', () => {
  const lea = Uint8Array.from([0x48, 0x8d, 0x05, 1, 0, 0, 0, 0x48, 0x8d, 0x45, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...filtered(lea)].slice(0, 14), [0x48, 0x8d, 0x05, 0, 0, 0, 8, 0x48, 0x8d, 0x45, 1, 0, 0, 0]);
});
