import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { rawBlock } from '../../../core/dag/block.ts';
import { fileIdFromDigest } from '../../../core/dag/file-id.ts';
import type { WantedPiece } from '../../../core/install/plan.ts';
import { MossError, type ErrorCode } from '../../../core/error.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { Layout } from '../../../node/store/layout.ts';
import { PLAIN } from '../../../node/store/modes.ts';
import { Staging } from '../../../node/store/staging.ts';
import { packPieces } from '../../../node/store/packed-pieces.ts';
import { openStorePool } from '../../../node/store/pool.ts';
import type { UnpackTask } from '../../../node/store/tasks.ts';
import { unpackFrame } from '../../../node/store/unpack.ts';
import { nodeCompressor } from '../../../node/zstd.ts';

const content = Buffer.from('the content of a file');
const id = fileIdFromDigest(nodeHasher.sha256(content), content.length);
const piece: WantedPiece = { id, at: 0, offset: 0, length: content.length, total: content.length, gzip: false };

/** Unpacking it fails with this code. */
async function refused(code: ErrorCode, given: UnpackTask): Promise<void> {
  await assert.rejects(
    () => unpackFrame(given),
    (error: unknown) => {
      assert.ok(error instanceof MossError, error instanceof Error ? error.stack : String(error));
      assert.equal(error.code, code, error.message);
      return true;
    },
  );
}

describe('a frame', () => {
  const root = mkdtempSync(join(tmpdir(), 'moss-unpack-'));
  const layout = new Layout(root);
  mkdirSync(layout.moss, { recursive: true });
  const pool = openStorePool();
  const staging = new Staging(layout, pool, new Map());
  after(async () => {
    await pool.close();
    rmSync(root, { recursive: true });
  });

  const task = async (plain: Uint8Array, change: Partial<UnpackTask> = {}): Promise<UnpackTask> => {
    const { cid, bytes } = await rawBlock(nodeCompressor.compress(plain, { level: 3 }), nodeHasher);
    return { kind: 'unpack', root, cid: cid.toString(), bytes, plain: plain.length, pieces: packPieces([piece], () => PLAIN), ...change };
  };
  it('brings its files', async () => {
    assert.ok(!staging.has(id));
    await unpackFrame(await task(content));
    assert.ok(readdirSync(layout.staging, { recursive: true, encoding: 'utf8' }).some((name) => name.endsWith(id)));
  });

  it('with another hash is refused before it is unpacked', async () => {
    await refused('bad-block', await task(content, { bytes: Buffer.from('something else') }));
  });

  it('that is no zstd is refused', async () => {
    const { cid, bytes } = await rawBlock(Buffer.from('no zstd'), nodeHasher);
    await refused('bad-frame', { ...(await task(content)), cid: cid.toString(), bytes });
  });

  it('that unpacks to more than it says is refused', async () => {
    await refused('bad-frame', await task(new Uint8Array(64 * 1024 * 1024), { plain: 1000 }));
  });

  it('that unpacks to less than it says is refused', async () => {
    await refused('bad-frame', await task(content, { plain: content.length + 1 }));
  });

  it('that is shorter than its table says is refused', async () => {
    await refused('bad-frame', await task(content, { pieces: packPieces([{ ...piece, at: 5 }], () => PLAIN) }));
  });

  it('with the content of another file is refused', async () => {
    await refused('bad-file', await task(Buffer.from('the content of a lie!')));
  });

  it('whose base does not exist is refused as a broken package, not as a bug of moss', async () => {
    const base = { id: fileIdFromDigest(new Uint8Array(32), 5), size: 5, offset: 0, length: 5 };
    await refused('bad-frame', await task(content, { base }));
  });
});
