import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { directoryMetadataStore } from '../../../node/trust/metadata-store.ts';
import { writeDurably } from '../../../node/trust/write-durably.ts';

const here = await mkdtemp(join(tmpdir(), 'moss-store-'));
after(() => rm(here, { recursive: true, force: true }));

void suite('the store of trusted metadata', () => {
  void test('gives back what it was given, and nothing for what it was not', async () => {
    const store = directoryMetadataStore(join(here, 'new', 'directory'));
    assert.equal(await store.get('root.json'), undefined);
    await store.put('root.json', Buffer.from('one'));
    await store.put('root.json', Buffer.from('two'));
    assert.equal(Buffer.from((await store.get('root.json')) ?? '').toString(), 'two');
    await store.delete('root.json');
    await store.delete('root.json');
    assert.equal(await store.get('root.json'), undefined);
  });

  void test('leaves nothing half-written behind, also when it fails', async () => {
    const directory = join(here, 'clean');
    const store = directoryMetadataStore(directory);
    await store.put('root.json', Buffer.from('one'));
    assert.deepEqual(await readdir(directory), ['root.json']);
    await writeFile(join(here, 'file'), '');
    await assert.rejects(writeDurably(join(here, 'file', 'below'), 'x'), (error: { code: string }) => error.code === 'io');
  });

  void test('has no names that lead elsewhere, and none that are too long', async () => {
    const store = directoryMetadataStore(join(here, 'names'));
    for (const name of ['../root.json', 'a/b', '..', '.']) {
      await assert.rejects(Promise.resolve().then(() => store.get(name)), (error: { code: string }) => error.code === 'bug', name);
    }
    assert.equal(await store.get('x'.repeat(5000)), undefined);
  });
});
