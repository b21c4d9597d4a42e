import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as assertProperty, integer, property, record, uniqueArray } from 'fast-check';
import type { FileId } from '../../../core/dag/file-id.ts';
import { chooseDeltas, type Choice, type Way } from '../../../core/install/delta.ts';

/** Bytes of all frames that are needed when these files come by deltas and the others by full frames. */
function costOf(choices: readonly Choice[], deltas: ReadonlySet<FileId>): number {
  const needed = new Map<string, number>();
  for (const choice of choices) for (const { key, size } of deltas.has(choice.id) ? choice.deltas : choice.full) needed.set(key, size);
  return [...needed.values()].reduce((sum, size) => sum + size, 0);
}

/** The fewest bytes of all ways to choose. */
function leastCost(choices: readonly Choice[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (let bits = 0; bits < 2 ** choices.length; bits++) {
    const deltas = new Set(choices.flatMap(({ id }, i) => ((bits >> i) % 2 === 1 ? [id] : [])));
    if (choices.some((choice) => deltas.has(choice.id) && choice.deltas.length === 0)) continue;
    least = Math.min(least, costOf(choices, deltas));
  }
  return least;
}

function fileId(i: number): FileId {
  return `file-${i}` as FileId;
}

function way(key: string, size: number): Way {
  return { key, size };
}

/** Some frames out of five. */
const WAYS = uniqueArray(integer({ min: 0, max: 4 }), { maxLength: 3 });

describe('the choice between deltas and full frames', () => {
  it('takes a small delta, and leaves a large one', () => {
    const choices = [
      { id: fileId(0), full: [way('f0', 100)], deltas: [way('d0', 10)] },
      { id: fileId(1), full: [way('f1', 100)], deltas: [way('d1', 120)] },
    ];
    assert.deepEqual(chooseDeltas(choices), new Set([fileId(0)]));
  });

  it('takes no delta of a file that a needed full frame brings anyway', () => {
    const choices = [
      { id: fileId(0), full: [way('f', 100)], deltas: [] },
      { id: fileId(1), full: [way('f', 100)], deltas: [way('d', 1)] },
    ];
    assert.deepEqual(chooseDeltas(choices), new Set());
  });

  it('takes many deltas only if they are less than the frame that they replace together', () => {
    const choices = [0, 1, 2].map((i) => ({ id: fileId(i), full: [way('f', 100)], deltas: [way(`d${i}`, 40)] }));
    assert.deepEqual(chooseDeltas(choices), new Set());
    assert.deepEqual(chooseDeltas(choices.slice(0, 2)), new Set([fileId(0), fileId(1)]));
  });

  it('costs the least of all choices', () => {
    const file = record({ full: WAYS, deltas: WAYS });
    assertProperty(
      property(array(file, { maxLength: 8 }), array(integer({ min: 0, max: 100 }), { minLength: 10, maxLength: 10 }), (files, sizes) => {
        const choices = files
          .filter(({ full }) => full.length > 0)
          .map(({ full, deltas }, i): Choice => ({
            id: fileId(i),
            full: full.map((each) => way(`f${each}`, sizes[each] ?? 0)),
            deltas: deltas.map((each) => way(`d${each}`, sizes[5 + each] ?? 0)),
          }));
        const chosen = chooseDeltas(choices);
        assert.ok(choices.every((choice) => !chosen.has(choice.id) || choice.deltas.length > 0));
        assert.equal(costOf(choices, chosen), leastCost(choices));
      }),
      { numRuns: 500 },
    );
  });
});
