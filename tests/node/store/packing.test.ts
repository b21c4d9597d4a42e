import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileIdFromDigest, type FileId } from '../../../core/dag/file-id.ts';
import { hasGnuGzip } from '../../../node/gzip.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { Layout } from '../../../node/store/layout.ts';
import { Packing } from '../../../node/store/packing.ts';

describe('documents on their way through gzip', { skip: !hasGnuGzip() && 'no GNU gzip on this machine', timeout: 600_000 }, () => {
  let directory: string;
  let layout: Layout;
  let packing: Packing;
  /** What was staged, and whoever waits for it. */
  let staged: FileId[];
  let onStaged: () => void;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'moss-packing-'));
    layout = new Layout(directory);
    mkdirSync(layout.recipes, { recursive: true });
    staged = [];
    onStaged = () => undefined;
    packing = new Packing(layout, (id, packed) => {
      assert.equal(idOf(readFileSync(packed)), id);
      staged.push(id);
      onStaged();
    });
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Writes documents as a worker leaves them, named by what they are once they are packed. */
  const bring = (first: number, count: number): FileId[] =>
    Array.from({ length: count }, (_, i) => {
      const content = `document ${first + i}\n`.repeat(1000);
      const id = idOf(spawnSync('gzip', ['-9n'], { input: content }).stdout);
      writeFileSync(join(layout.recipes, id), content);
      return id;
    });
  const until = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onStaged = () => {
        if (staged.length === count) resolve();
      };
      onStaged();
    });

  it('are packed while others are still on their way', async () => {
    const first = bring(0, 20);
    packing.add(first);
    // These come while gzip runs: it goes on with them by itself.
    const second = bring(20, 20);
    packing.add(second.slice(0, 10));
    packing.add(second.slice(10));
    await until(40);
    assert.deepEqual(new Set(staged), new Set([...first, ...second]));
    assert.deepEqual(await packing.settle(), []);
    assert.deepEqual(readdirSync(layout.recipes).filter((name) => !name.endsWith('.gz')), []);
  });

  it('are all packed once they are settled, however few came last', async () => {
    const all = bring(0, 23);
    packing.add(all.slice(0, 20));
    packing.add(all.slice(20));
    assert.deepEqual(await packing.settle(), []);
    assert.deepEqual(new Set(staged), new Set(all));
  });

  it('are told where gzip gives other bytes', async () => {
    const all = bring(0, 20);
    const other = idOf(Buffer.from('something else'));
    writeFileSync(join(layout.recipes, other), 'a document');
    packing.add([...all, other]);
    assert.deepEqual(await packing.settle(), [other]);
    assert.equal(staged.length, 20);
  });

  it('fail when they are settled, where gzip fails before', async () => {
    const all = bring(0, 20);
    mkdirSync(join(layout.recipes, idOf(Buffer.from('a directory'))));
    packing.add([...all, idOf(Buffer.from('a directory'))]);
    await assert.rejects(packing.settle(), { code: 'no-tool' });
  });
});

function idOf(bytes: Uint8Array): FileId {
  return fileIdFromDigest(nodeHasher.sha256(bytes), bytes.length);
}
