import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileIdFromLeaves, LEAF_SIZE, type FileId } from '../../../core/dag/file-id.ts';
import { MossError } from '../../../core/error.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { Layout } from '../../../node/store/layout.ts';
import { PLAIN } from '../../../node/store/modes.ts';
import { PartialFiles } from '../../../node/store/partial-files.ts';
import type { WrittenRun } from '../../../node/store/tasks.ts';

const SIZE = 3 * LEAF_SIZE + 100;

describe('a large file that comes in pieces', () => {
  let directory: string;
  let layout: Layout;
  let id: FileId;
  const content = Buffer.alloc(SIZE, 'moss and lichen, ');
  const leaves = [0, 1, 2, 3].map((i) => nodeHasher.sha256(content.subarray(i * LEAF_SIZE, (i + 1) * LEAF_SIZE)));

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'moss-partial-'));
    layout = new Layout(directory);
    id = await fileIdFromLeaves(leaves, SIZE, nodeHasher);
    mkdirSync(layout.staging, { recursive: true });
    mkdirSync(join(layout.staged(id, false), '..'), { recursive: true });
    writeFileSync(layout.partial(id), content);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const run = (first: number, count: number): WrittenRun => ({
    id,
    offset: first * LEAF_SIZE,
    length: Math.min(count * LEAF_SIZE, SIZE - first * LEAF_SIZE),
    leaves: leaves.slice(first, first + count),
  });

  it('is staged when the last piece came, in whatever order', async () => {
    const files = new PartialFiles(layout, () => PLAIN);
    assert.equal(await files.add(run(3, 1), SIZE), false);
    assert.equal(await files.add(run(0, 2), SIZE), false);
    assert.deepEqual(files.unfinished(), [id]);
    assert.equal(await files.add(run(2, 1), SIZE), true);
    assert.deepEqual(files.unfinished(), []);
    assert.deepEqual(readFileSync(layout.staged(id, false)), content);
  });

  it('is refused when its pieces are not what its id says', async () => {
    const files = new PartialFiles(layout, () => PLAIN);
    await files.add(run(0, 3), SIZE);
    await assert.rejects(files.add({ ...run(3, 1), leaves: [new Uint8Array(32)] }, SIZE), (error: unknown) => error instanceof MossError && error.code === 'bad-file');
    assert.ok(!existsSync(layout.partial(id)));
  });

  it('goes on after a kill with the leaves that were noted', async () => {
    await new PartialFiles(layout, () => PLAIN).add(run(1, 2), SIZE);
    const files = new PartialFiles(layout, () => PLAIN);
    assert.deepEqual(await files.resume(), []);
    assert.ok(files.has(id, LEAF_SIZE, 2 * LEAF_SIZE));
    assert.ok(!files.has(id, 0, LEAF_SIZE));
    assert.equal(await files.add(run(0, 1), SIZE), false);
    assert.equal(await files.add(run(3, 1), SIZE), true);
  });

  it('is complete after a kill between the last note and its new name', async () => {
    const before = new PartialFiles(layout, () => PLAIN);
    await before.add(run(0, 2), SIZE);
    appendFileSync(layout.journal, `${JSON.stringify({ id, offset: 2 * LEAF_SIZE, total: SIZE, leaves: leaves.slice(2).map((leaf) => Buffer.from(leaf).toString('hex')) })}\n`);
    assert.deepEqual(await new PartialFiles(layout, () => PLAIN).resume(), [id]);
    assert.deepEqual(readFileSync(layout.staged(id, false)), content);
  });

  it('does not trust leaves that were altered since', async () => {
    await new PartialFiles(layout, () => PLAIN).add(run(0, 2), SIZE);
    const altered = Buffer.from(content);
    altered[5] = 0;
    writeFileSync(layout.partial(id), altered);
    const files = new PartialFiles(layout, () => PLAIN);
    await files.resume();
    assert.ok(!files.has(id, 0, LEAF_SIZE));
    assert.ok(files.has(id, LEAF_SIZE, LEAF_SIZE));
  });

  it('does not trust leaves that a power cut took', async () => {
    await new PartialFiles(layout, () => PLAIN).add(run(0, 4), SIZE).catch(() => undefined);
    writeFileSync(layout.partial(id), content);
    truncateSync(layout.partial(id), LEAF_SIZE + 5);
    const files = new PartialFiles(layout, () => PLAIN);
    await files.resume();
    assert.ok(files.has(id, 0, LEAF_SIZE));
    assert.ok(!files.has(id, LEAF_SIZE, LEAF_SIZE));
  });

  it('does not count a torn line of the journal, nor lose what is noted after it', async () => {
    await new PartialFiles(layout, () => PLAIN).add(run(0, 1), SIZE);
    const whole = readFileSync(layout.journal, 'utf8');
    for (const torn of [whole.slice(0, 40), whole.slice(0, -2), '\0\0\0\0', '{"id":', '{}']) {
      writeFileSync(layout.journal, whole + torn);
      const first = new PartialFiles(layout, () => PLAIN);
      await first.resume();
      await first.add(run(1, 1), SIZE);
      const second = new PartialFiles(layout, () => PLAIN);
      await second.resume();
      assert.ok(second.has(id, 0, 2 * LEAF_SIZE), torn);
    }
  });

  it('that an earlier run left does not count as unfinished in one that does not want it', async () => {
    await new PartialFiles(layout, () => PLAIN).add(run(0, 1), SIZE);
    const files = new PartialFiles(layout, () => PLAIN);
    await files.resume();
    assert.deepEqual(files.unfinished(), []);
  });
});
