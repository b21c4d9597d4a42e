import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LEAF_SIZE } from '../../../core/dag/file-id.ts';
import { DirectorySpool } from '../../../node/source/spool.ts';
import { inTemporary } from '../../fixtures/importing.ts';

async function withSpool(run: (spool: DirectorySpool, list: () => string[]) => Promise<void>): Promise<void> {
  await inTemporary(async (directory) => {
    const path = join(directory, 'spool');
    await run(new DirectorySpool(path), () => readdirSync(path));
  });
}

for (const size of [0, 1, LEAF_SIZE, LEAF_SIZE + 1, 3 * LEAF_SIZE]) {
  test(`a content of ${size} bytes is kept once, however it comes`, async () => {
    await withSpool(async (spool, list) => {
      const content = Buffer.alloc(size, 'moss');
      const whole = await spool.add([content], size);
      async function* pieces() {
        for (let at = 0; at < size; at += 300_000) yield content.subarray(at, at + 300_000);
      }
      assert.deepEqual(await spool.add(pieces(), size), whole);
      assert.deepEqual(list(), [whole.id]);
      assert.ok(readFileSync(spool.pathOf(whole.id)).equals(content));
    });
  });
}

for (const size of [10, LEAF_SIZE + 10]) {
  test(`more or fewer than ${size} bytes are refused, and leave nothing`, async () => {
    await withSpool(async (spool, list) => {
      await assert.rejects(spool.add([Buffer.alloc(size + 1)], size), { code: 'bad-package', message: /has more/ });
      await assert.rejects(spool.add([Buffer.alloc(size - 1)], size), { code: 'bad-package', message: /has only/ });
      assert.deepEqual(list(), []);
    });
  });
}

test('a source that fails leaves nothing', async () => {
  await withSpool(async (spool, list) => {
    const reason = new Error('gone');
    async function* broken() {
      yield Buffer.alloc(LEAF_SIZE);
      throw reason;
    }
    await assert.rejects(spool.add(broken(), 5 * LEAF_SIZE), reason);
    assert.deepEqual(list(), []);
  });
});
