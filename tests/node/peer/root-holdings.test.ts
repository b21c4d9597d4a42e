/** What an installed root serves: by the policy `installed`, straight from the store. */
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { cidOf, DAG_PB, parseCid, RAW } from '../../../core/dag/cid.ts';
import type { FileEntry } from '../../../core/dag/entry.ts';
import { fileIdFromLeaves, LEAF_SIZE } from '../../../core/dag/file-id.ts';
import type { Content, Wanted } from '../../../core/ports/holdings.ts';
import { defaultSettings } from '../../../node/config/settings.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { listInstalled } from '../../../node/peer/listing.ts';
import { RootHoldings } from '../../../node/peer/root-holdings.ts';
import { Layout } from '../../../node/store/layout.ts';
import { activeState } from '../../../node/system/installed.ts';
import { PackageStore } from '../../../node/system/package-store.ts';
import { Repositories } from '../../../node/system/repositories.ts';
import { makeRepository, temporaryDirectory, writePackage, type Repository } from '../../e2e/fixture.ts';
import { mossDone } from '../../e2e/moss.ts';

describe('what a root serves', { timeout: 600_000 }, () => {
  const { path, remove } = temporaryDirectory('holdings');
  const root = join(path, 'root');
  const layout = new Layout(root);
  const holdings = new RootHoldings(layout);
  let repository: Repository;

  async function list(): Promise<void> {
    const repositories = new Repositories({ layout, settings: defaultSettings(), onEvent: () => undefined });
    holdings.listing = await listInstalled(layout, await repositories.known());
  }

  async function files(name: string): Promise<FileEntry[]> {
    const installed = activeState(layout)?.packages.find((each) => each.name === name);
    assert.ok(installed);
    const { parts } = await new PackageStore(layout).load(installed.manifest, (component) => installed.components.includes(component));
    return parts.flatMap(({ table }) => table.entries.filter((entry) => entry.type === 'file'));
  }

  async function read(wanted: Wanted): Promise<Buffer | undefined> {
    const content: Content | undefined = await holdings.find(wanted);
    if (content === undefined) return undefined;
    const half = content.size >> 1;
    return Buffer.concat([await content.read(0, half), await content.read(half, content.size - half)]);
  }

  before(async () => {
    const secret = writePackage(path, { name: 'secret' });
    writeFileSync(join(secret, 'usr/share/secret/own.txt'), 'nobody is told\n');
    appendFileSync(join(secret, 'moss.toml'), 'announce = false\n');
    repository = await makeRepository(path, [writePackage(path, { name: 'pea', large: 3_400_000 }), secret]);
    await mossDone(['repo', 'add', 'test', repository.site, '--fingerprint', repository.fingerprint], { root });
    await mossDone(['install', 'pea', 'secret', '--yes'], { root });
    await list();
  });
  after(remove);

  test('every file of an installed package, small ones whole, large ones by their leaves', async () => {
    const all = await files('pea');
    assert.ok(all.length > 20);
    for (const { id, size, path: name } of all) {
      const cid = parseCid(id);
      const content = readFileSync(join(root, name));
      if (size <= LEAF_SIZE) {
        assert.ok(content.equals((await read({ kind: 'block', cid })) ?? Buffer.alloc(1)), name);
        continue;
      }
      assert.equal(cid.code, DAG_PB);
      const links = await read({ kind: 'links', file: cid });
      assert.ok(links);
      const digests = Array.from({ length: links.length / 32 }, (_, i) => links.subarray(32 * i, 32 * i + 32));
      assert.equal(await fileIdFromLeaves(digests, size, nodeHasher), id);
      for (const [index] of digests.entries()) {
        assert.ok(content.subarray(index * LEAF_SIZE, (index + 1) * LEAF_SIZE).equals((await read({ kind: 'leaf', file: cid, index })) ?? Buffer.alloc(0)));
      }
      assert.equal(await read({ kind: 'leaf', file: cid, index: digests.length }), undefined);
      assert.equal(await read({ kind: 'block', cid }), undefined, 'its nodes are not kept');
    }
  });

  test('manifests, so that a machine without a web server can install too', async () => {
    const installed = activeState(layout)?.packages.find(({ name }) => name === 'pea');
    assert.ok(installed);
    assert.ok(await read({ kind: 'block', cid: installed.manifest }));
    assert.deepEqual(holdings.repositories.map((each) => Buffer.from(each).toString('hex')), [repository.fingerprint]);
  });

  test('nothing of a package that must not be announced', async () => {
    const own = (await files('secret')).find(({ path: name }) => name.endsWith('own.txt'));
    const manifest = activeState(layout)?.packages.find(({ name }) => name === 'secret')?.manifest;
    assert.ok(own && manifest);
    assert.equal(await read({ kind: 'block', cid: parseCid(own.id) }), undefined);
    assert.equal(await read({ kind: 'block', cid: manifest }), undefined);
  });

  test('no file that was altered since', async () => {
    const first = (await files('pea')).find(({ size }) => size > 100 && size < 1000);
    assert.ok(first);
    const stored = layout.stored(first.id, false);
    chmodSync(stored, 0o644);
    appendFileSync(stored, 'x');
    assert.equal(await read({ kind: 'block', cid: parseCid(first.id) }), undefined);
  });

  test('nothing of a version that is not the newest any more', async () => {
    await mossDone(['publish', repository.directory, writePackage(path, { name: 'pea', version: '2.0' })]);
    await mossDone(['repo', 'update'], { root });
    await list();
    const manifest = activeState(layout)?.packages.find(({ name }) => name === 'pea')?.manifest;
    assert.ok(manifest);
    assert.equal(await read({ kind: 'block', cid: manifest }), undefined);
    assert.equal(holdings.listing.packages, 0);
  });

  test('an earlier version as what deltas start from, and as nothing else', async () => {
    const old = (await files('pea')).filter(({ path: name }) => name.endsWith('text-15.txt') || name.endsWith('changelog.gz'));
    await mossDone(['sync', '--yes'], { root });
    await list();
    const now = await files('pea');
    assert.equal(old.length, 2);
    for (const { path: name, id, size } of old) {
      const next = now.find((each) => each.path === name);
      assert.ok(next && next.id !== id, name);
      const [target, base] = [parseCid(next.id), parseCid(id)];
      const ends = holdings.findEnds(target, base, false);
      assert.ok(ends, name);
      assert.deepEqual([ends.target.size, ends.base.size], [next.size, size]);
      assert.ok(readFileSync(join(root, name)).equals(await ends.target.read()));
      assert.equal(holdings.findEnds(base, target, false), undefined, 'nobody gets an earlier version');
      assert.equal(await read({ kind: 'block', cid: base }), undefined);
      const unpacked = holdings.findEnds(target, base, true);
      assert.equal(unpacked !== undefined, name.endsWith('.gz'), name);
      if (unpacked === undefined) continue;
      assert.equal(Buffer.from(await unpacked.target.read()).toString(), gunzipSync(readFileSync(join(root, name))).toString());
      assert.equal(unpacked.target.size, (await unpacked.target.read()).length);
    }
  });

  test('nothing of a delta to or from what must not be announced, or what nobody has', async () => {
    const own = (await files('secret')).find(({ path: name }) => name.endsWith('own.txt'));
    const other = (await files('pea')).find(({ path: name }) => name.endsWith('text-15.txt'));
    assert.ok(own && other);
    const [secret, open, unknown] = [parseCid(own.id), parseCid(other.id), cidOf(RAW, new Uint8Array(32))];
    for (const [target, base] of [[secret, open], [open, secret], [open, unknown], [unknown, open]] as const) assert.equal(holdings.findEnds(target, base, false), undefined);
    assert.ok(holdings.findEnds(open, open, false));
  });
});
