import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileIdFromDigest, type FileId } from '../../../core/dag/file-id.ts';
import type { FileEntry } from '../../../core/dag/entry.ts';
import type { PackagePath } from '../../../core/dag/path.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { FileStore } from '../../../node/store/file-store.ts';
import { Layout } from '../../../node/store/layout.ts';
import { wantedFiles } from '../../../node/store/modes.ts';
import { openStorePool } from '../../../node/store/pool.ts';
import { Staging, type StorePool } from '../../../node/store/staging.ts';

const contents = Array.from({ length: 100 }, (_, i) => Buffer.from(`content ${i}`));
const idOf = (content: Uint8Array): FileId => fileIdFromDigest(nodeHasher.sha256(content), content.length);

function entry(content: Uint8Array, mode: number): FileEntry {
  return { type: 'file', path: `usr/bin/${idOf(content)}.${mode}` as PackagePath, mode, size: content.length, id: idOf(content) };
}

describe('staged files', () => {
  let root: string;
  let layout: Layout;
  let pool: StorePool;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'moss-adopt-'));
    layout = new Layout(root);
    mkdirSync(layout.moss, { recursive: true });
    pool = openStorePool();
  });
  afterEach(async () => {
    await pool.close();
    rmSync(root, { recursive: true });
  });

  /** Stages contents for a state that wants some files, and moves them into the store. */
  async function bring(store: FileStore, files: readonly FileEntry[], brought: readonly Uint8Array[]): Promise<void> {
    const staging = new Staging(layout, pool, wantedFiles(files));
    await staging.resume();
    await staging.take(brought.map((content) => ({ id: idOf(content), size: content.length, leaf: undefined, bytes: content.length, content, digest: undefined })));
    await store.adopt(staging);
  }

  it('are in the store of a new root afterwards, read-only and with the time of the store', async () => {
    await bring(new FileStore(layout, pool), contents.map((content) => entry(content, 0o644)), contents);
    for (const content of contents) {
      const path = layout.stored(idOf(content), false);
      assert.deepEqual(readFileSync(path), content);
      assert.equal(statSync(path).mode & 0o777, 0o444);
      assert.equal(statSync(path).mtimeMs, 1000);
    }
    assert.deepEqual(readdirSync(layout.staging, { recursive: true, withFileTypes: true }).filter((each) => each.isFile()), []);
  });

  it('join what the store has', async () => {
    const half = contents.slice(0, 50);
    await bring(new FileStore(layout, pool), half.map((content) => entry(content, 0o644)), half);
    await bring(new FileStore(layout, pool), contents.map((content) => entry(content, 0o644)), contents.slice(50));
    for (const content of contents) assert.deepEqual(readFileSync(layout.stored(idOf(content), false)), content);
  });

  it('are there in each mode that is wanted, and in no other', async () => {
    const [plain, program, both] = [Buffer.from('plain'), Buffer.from('program'), Buffer.from('both')];
    await bring(new FileStore(layout, pool), [entry(plain, 0o644), entry(program, 0o755), entry(both, 0o600), entry(both, 0o700)], [plain, program, both]);
    const modes = (content: Uint8Array): (number | undefined)[] =>
      [false, true].map((executable) => statSync(layout.stored(idOf(content), executable), { throwIfNoEntry: false })).map((stat) => stat && stat.mode & 0o777);
    assert.deepEqual([plain, program, both].map(modes), [[0o444, undefined], [undefined, 0o555], [0o444, 0o555]]);
  });

  it('that another installation had begun stay where they are', async () => {
    const [ours, others] = [contents.slice(0, 50), contents.slice(50)];
    const staging = new Staging(layout, pool, new Map());
    await staging.take(others.map((content) => ({ id: idOf(content), size: content.length, leaf: undefined, bytes: content.length, content, digest: undefined })));
    await bring(new FileStore(layout, pool), ours.map((content) => entry(content, 0o644)), ours);
    for (const content of ours) assert.ok(existsSync(layout.stored(idOf(content), false)));
    for (const content of others) {
      assert.ok(!existsSync(layout.stored(idOf(content), false)));
      assert.ok(existsSync(layout.staged(idOf(content), false)));
    }
  });
});
