import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cidOf, RAW } from '../../../core/dag/cid.ts';
import type { FileEntry } from '../../../core/dag/entry.ts';
import { fileIdFromDigest } from '../../../core/dag/file-id.ts';
import type { FrameRef } from '../../../core/dag/manifest.ts';
import type { PackagePath } from '../../../core/dag/path.ts';
import type { TableFrame } from '../../../core/dag/table.ts';
import { planFetch, type PlannedPart } from '../../../core/install/plan.ts';

let blocks = 0;

function file(name: string, content: number, recipe = false): FileEntry {
  const id = fileIdFromDigest(new Uint8Array(32).fill(content), 10);
  return { type: 'file', path: `usr/${name}` as PackagePath, mode: 0o644, id, size: 10, ...(recipe && { recipe: { name: 'gzip -9n', size: 30 } as const }) };
}

function frame(plain: number): FrameRef {
  blocks++;
  return { cid: cidOf(RAW, new Uint8Array(32).fill(blocks)), size: 7, plain };
}

/** A part whose frames hold the files of the given indexes. */
function part(files: FileEntry[], frames: (number[] | TableFrame)[]): PlannedPart {
  const full = frames.map((each): TableFrame =>
    Array.isArray(each) ? { pieces: each.map((i) => ({ file: i, offset: 0, length: files[i]?.recipe?.size ?? files[i]?.size ?? 0 })) } : each,
  );
  const packed = files.flatMap(({ recipe }, i) => (recipe === undefined ? [] : [{ file: i, offset: 0, length: 10 }]));
  return {
    part: {
      table: new Uint8Array(),
      tableSize: 0,
      tablePlain: 0,
      rows: files.length,
      frames: full.map(({ pieces }) => frame(pieces.reduce((sum, { length }) => sum + length, 0))),
      verbatim: packed.length > 0 ? [frame(10 * packed.length)] : [],
    },
    table: { entries: files, files, frames: full, verbatim: packed.length > 0 ? [{ pieces: packed }] : [] },
    dictionary: undefined,
  };
}

const nothing = { has: () => false, gzip: true };

describe('what is fetched', () => {
  it('is nothing when everything is here', () => {
    const plan = planFetch([part([file('a', 1)], [[0]])], { has: () => true, gzip: true });
    assert.deepEqual(plan, { frames: [], files: 0, bytes: 0, download: 0, deltas: 0 });
  });

  it('is each frame that holds something missing, with what is wanted of it alone', () => {
    const [a, b, c] = [file('a', 1), file('b', 2), file('c', 3)];
    const plan = planFetch([part([a, b, c], [[0, 1], [2]])], { has: ({ id }) => id === a.id || id === c.id, gzip: true });
    assert.deepEqual([plan.files, plan.bytes, plan.download, plan.frames.length], [1, 10, 7, 1]);
    assert.deepEqual(plan.frames[0]?.pieces, [{ id: b.id, at: 10, offset: 0, length: 10, total: 10, gzip: false }]);
  });

  it('brings a file that many parts hold only once', () => {
    const plan = planFetch([part([file('a', 1)], [[0]]), part([file('b', 1)], [[0]]), part([file('c', 1), file('d', 2)], [[0, 1]])], nothing);
    assert.equal(plan.files, 2);
    assert.deepEqual(plan.frames.flatMap(({ pieces }) => pieces.map(({ id }) => id)).toSorted(), [file('a', 1).id, file('d', 2).id].toSorted());
  });

  it('has frames without a base before those that need what they bring', () => {
    const [a, b] = [file('a', 1), file('b', 2)];
    const based: TableFrame = { pieces: [{ file: 0, offset: 0, length: 10 }], base: { id: b.id, size: 10, offset: 0, length: 10 } };
    const plan = planFetch([part([a, b], [based, [1]])], nothing);
    assert.deepEqual(plan.frames.map(({ base }) => base === undefined), [true, false]);
  });

  it('brings documents unpacked where there is GNU gzip, and as they are elsewhere', () => {
    const one = part([file('a.gz', 1, true)], [[0]]);
    const [unpacked] = planFetch([one], nothing).frames;
    const [asIs] = planFetch([one], { has: () => false, gzip: false }).frames;
    assert.deepEqual(unpacked?.pieces.map(({ gzip, total }) => [gzip, total]), [[true, 30]]);
    assert.deepEqual(asIs?.pieces.map(({ gzip, total }) => [gzip, total]), [[false, 10]]);
  });
});
