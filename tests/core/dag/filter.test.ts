import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { applyFilter, undoFilter } from '../../../core/dag/filter.ts';

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
