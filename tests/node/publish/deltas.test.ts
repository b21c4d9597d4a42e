import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { array, assert as assertProperty, asyncProperty, boolean, constantFrom, integer, nat, record } from 'fast-check';
import { parseCid } from '../../../core/dag/cid.ts';
import { BlockDirectory } from '../../../node/store/block-directory.ts';
import { PackageContents } from '../../../node/publish/deltas/contents.ts';
import { withoutVersions } from '../../../core/install/predecessors.ts';
import { findPredecessors, type PlacedFile } from '../../../node/publish/deltas/predecessors.ts';
import { similarity, sketchOf } from '../../../node/publish/deltas/sketch.ts';
import type { FileEntry } from '../../../core/dag/entry.ts';
import { fileIdFromDigest } from '../../../core/dag/file-id.ts';
import type { PackagePath } from '../../../core/dag/path.ts';
import { decodeManifest, manifestLinks } from '../../../core/dag/manifest.ts';
import type { MossError } from '../../../core/error.ts';
import { decodeRoot } from '../../../core/dag/root.ts';
import { readDeltaMap } from '../../../core/dag/delta-map.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { currentRoot } from '../../../node/trust/current.ts';
import { noise } from '../../e2e/fixture.ts';
import { visibleSystem } from '../../e2e/root-snapshot.ts';
import { ReleaseHistory, type Tree } from '../../fixtures/release-history.ts';

function words(seed: number, count: number): string {
  return Array.from({ length: count }, (_, i) => `${noise(8, seed * 1000 + i).toString('hex')} line ${i}`).join('\n');
}

function version(number: number): Tree {
  return { 'usr/share/app/data': `${words(1, 4000)} ${number}`, 'usr/share/app/own': words(number + 10, 300) };
}

describe('the releases of a package', () => {
  const histories: ReleaseHistory[] = [];
  after(() => histories.forEach((history) => history.remove()));
  const begin = async (): Promise<ReleaseHistory> => {
    const history = await ReleaseHistory.begin();
    histories.push(history);
    return history;
  };

  it('give the very files of a fresh installation, by any mix of deltas and full frames, whatever their history', async () => {
    const path = constantFrom('usr/bin/app', 'usr/lib/libapp.so.1.2', 'usr/lib/libapp.so.1.3', 'usr/share/app/a.txt', 'usr/share/app/b.txt', 'usr/share/doc/app/changelog.gz', 'usr/share/man/man1/app.1.gz', 'usr/share/app/data-1.bin', 'usr/share/app/data-2.bin');
    const content = record({ seed: nat(3), lines: integer({ min: 0, max: 6000 }), edit: nat(50) });
    const release = record({ files: array(record({ path, content }), { minLength: 1, maxLength: 7 }), follow: boolean(), lose: nat(4), alter: nat(4) });
    await assertProperty(
      asyncProperty(array(release, { minLength: 2, maxLength: 4 }), async (releases) => {
        const history = await begin();
        const tree: Record<string, string> = {};
        for (const [i, { files, follow, lose, alter }] of releases.entries()) {
          for (const { path: name, content: { seed, lines, edit } } of files) tree[name] = `${edit}\n${words(seed, lines)}\n${'edited '.repeat(edit)}\n`;
          const blocks = join(history.site, 'blocks');
          const before = new Set(existsSync(blocks) ? readdirSync(blocks) : []);
          await history.release(tree);
          // Some of the new blocks are nowhere, if they are frames of deltas; some files of the store are not what they were.
          const frames = await deltaFrames(history);
          if (lose > 0) for (const [n, cid] of frames.entries()) if (n % 3 === lose % 3 && !before.has(cid)) rmSync(join(blocks, cid), { force: true });
          if (alter > 0 && i > 0) alterStale(history.root('long'), new Set(Object.values(tree)));
          if (follow || i === 0 || i === releases.length - 1) await history.follow('long');
        }
        await history.follow('fresh');
        assert.deepEqual(visibleSystem(history.root('long')).slice(1), visibleSystem(history.root('fresh')).slice(1));
        history.remove();
      }),
      { numRuns: 6, endOnFailure: true },
    );
  });

  it('have deltas from as many as are wanted, within their share of bytes', async () => {
    const history = await begin();
    for (const number of [1, 2, 3]) await history.release(version(number), { releases: 0, share: 1 });
    const all = await history.release(version(4), { releases: 3, share: 1 });
    assert.deepEqual([all.deltas, all.deltasMade], [3, 3]);
    const fewer = await history.release(version(5), { releases: 3, share: 0.2 });
    assert.ok(fewer.deltas >= 1 && fewer.deltas < 3 && fewer.deltaBytes <= fewer.frameBytes * 0.2, JSON.stringify(fewer));
    assert.equal((await history.releaseAgain({ releases: 3, share: 0.2 })).deltas, fewer.deltas);
    const none = await history.releaseAgain({ releases: 3, share: 0 });
    assert.deepEqual([none.deltas, none.deltaBytes], [0, 0], 'those of the revision before, neither');
    const again = await history.release(version(5), { releases: 0, share: 1 });
    assert.equal(again.deltas, 0);
  });

  it('have the same deltas each time, and make none twice', async () => {
    const lists = await Promise.all(
      [0, 1].map(async () => {
        const history = await begin();
        const base = words(7, 3000);
        await history.release({ 'usr/lib/one': base, 'usr/share/doc/app/changelog.gz': words(8, 200) });
        const made = await history.release({ 'usr/lib/one': `${base} more`, 'usr/share/doc/app/changelog.gz': `news\n${words(8, 200)}` });
        assert.equal(made.deltasMade, 1);
        return (await deltaFrames(history)).toSorted();
      }),
    );
    assert.ok((lists[0]?.length ?? 0) > 0);
    assert.deepEqual(lists[0], lists[1]);
  });

  it('bring a large file in runs, each from what lies about the same place of the old one', async () => {
    const history = await begin();
    const MiB = 1024 * 1024;
    const large = Buffer.concat(Array.from({ length: 20 }, (_, i) => Array.from({ length: 16 }, () => noise(MiB / 16, i))).flat());
    await history.release({ 'usr/lib/large': large });
    await history.follow('large');
    const next = Buffer.concat([Buffer.from('moved'), large]);
    await history.release({ 'usr/lib/large': next });
    const { change, warnings } = await history.follow('large');
    const runs = change.plan.frames.flatMap(({ bases = [], pieces: [piece] }) => bases.map((base) => ({ base, piece })));
    assert.equal(runs.length, 3);
    for (const { base, piece } of runs) {
      assert.ok(base.length <= 16 * MiB, `${base.length} bytes to start from`);
      assert.ok(piece !== undefined && base.offset <= piece.offset && base.offset + base.length >= Math.min(large.length, piece.offset + piece.length), JSON.stringify({ base, piece }));
    }
    assert.ok(change.plan.download < MiB, `${change.plan.download} bytes to fetch`);
    assert.deepEqual(warnings, []);
    assert.ok(next.equals(readFileSync(join(history.root('large'), 'usr/lib/large'))));
  });

  it('are whole again when blocks of a package are gone, and after a power cut those of its delta, too', async () => {
    const history = await begin();
    await history.release(version(1));
    await history.release(version(2));
    const blocks = join(history.site, 'blocks');
    const before = readdirSync(blocks).toSorted();
    const newest = (await manifestsOf(history)).at(-1) ?? '';
    const full = manifestLinks(decodeManifest(readFileSync(join(blocks, newest)))).map(String);
    const deltas = await deltaFrames(history);
    assert.ok(full.length > 0 && deltas.length > 0);
    const lost = new Set([...full, ...deltas]);
    for (const cid of lost) rmSync(join(blocks, cid));
    assert.equal((await history.releaseAgain()).packed, 1, 'what is published is looked for');
    assert.deepEqual(readdirSync(blocks).toSorted(), before.filter((cid) => !deltas.includes(cid)), 'and without a crash no more than that');
    for (const cid of lost) rmSync(join(blocks, cid), { force: true });
    // What a publication that is cut off leaves.
    writeFileSync(join(history.repository, 'unfinished'), '');
    await history.releaseAgain();
    assert.deepEqual(readdirSync(blocks).toSorted(), before);
  });

  it('cannot start from a package that the site has altered, and say which file that is', async () => {
    const history = await begin();
    await history.release(version(1));
    const blocks = join(history.site, 'blocks');
    const [first = ''] = await manifestsOf(history);
    const [frame] = manifestLinks(decodeManifest(readFileSync(join(blocks, first)))).map(String);
    assert.ok(frame !== undefined);
    writeFileSync(join(blocks, frame), 'torn');
    await assert.rejects(history.release(version(2)), (error: MossError) => error.code === 'damaged' && error.message.includes(join(blocks, frame)) && error.hint !== undefined);
  });

  it('are read from their own blocks, as they travel', async () => {
    const history = await begin();
    const large = noise(3_000_000, 5);
    await history.release({ 'usr/lib/large': large, 'usr/share/app/small': 'small', 'usr/share/doc/app/changelog.gz': 'unpacked' });
    const blocks = new BlockDirectory(join(history.site, 'blocks'));
    const [manifest] = await manifestsOf(history);
    const contents = await PackageContents.open(parseCid(manifest ?? ''), blocks, join(history.directory, 'contents'));
    const files = contents.parts.flatMap(({ table }) => table.files);
    const read = async (name: string, offset: number, length: number): Promise<Buffer> => {
      const file = files.find((each) => each.path === name);
      assert.ok(file !== undefined);
      const target = Buffer.alloc(length);
      await contents.read(file, offset, target);
      return target;
    };
    assert.deepEqual(await read('usr/lib/large', 1_500_000, 1000), large.subarray(1_500_000, 1_501_000));
    assert.equal((await read('usr/share/doc/app/changelog.gz', 0, 8)).toString(), 'unpacked');
  });
});

async function manifestsOf(history: ReleaseHistory): Promise<string[]> {
  const blocks = join(history.site, 'blocks');
  const root = decodeRoot(readFileSync(join(blocks, String(await currentRoot(history.repository)))));
  const { decodeLinks } = await import('../../../core/dag/root.ts');
  return root.manifests.flatMap((cid) => decodeLinks(readFileSync(join(blocks, cid.toString())))).map((cid) => cid.toString());
}

/** The CIDs of all delta frames that the newest revision lists. */
async function deltaFrames(history: ReleaseHistory): Promise<string[]> {
  const blocks = join(history.site, 'blocks');
  const block = async (cid: { toString: () => string }): Promise<Uint8Array> => readFileSync(join(blocks, cid.toString()));
  const { deltas } = decodeRoot(await block((await currentRoot(history.repository)) ?? ''));
  if (deltas === undefined) return [];
  const { decodeCbor } = await import('../../../core/dag/codec.ts');
  const { decodeDelta, expandManifest } = await import('../../../core/dag/delta.ts');
  const { nodeCompressor } = await import('../../../node/zstd.ts');
  const out: string[] = [];
  for (const refs of (await readDeltaMap(deltas, block)).values()) {
    for (const { cid } of refs) {
      const bytes = await block(cid);
      const delta = await decodeDelta(bytes, async ({ from }) => expandManifest(decodeCbor(await block(from), 'bug', 'a manifest'), nodeCompressor), nodeCompressor);
      // One without a base may be a full frame too.
      out.push(...delta.frames.flatMap(({ ref, bases }) => (bases.length > 0 ? [ref.cid.toString()] : [])));
    }
  }
  return out;
}

/** Changes a byte of the files of a root's store that the next version does not have, and leaves size and time as they are. */
function alterStale(root: string, next: ReadonlySet<string>): void {
  const store = join(root, '.moss/store');
  for (const name of readdirSync(store, { recursive: true, encoding: 'utf8' })) {
    const path = join(store, name);
    const { mode, mtime, size } = statSync(path);
    if (!statSync(path).isFile() || size === 0) continue;
    const bytes = readFileSync(path);
    // What is packed may be in the next version too.
    if (next.has(bytes.toString()) || bytes[0] === 0x1f) continue;
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    // States have links to it: theirs must not change.
    rmSync(path);
    writeFileSync(path, bytes);
    chmodSync(path, mode);
    utimesSync(path, mtime, mtime);
  }
}

describe('the file that a changed one came from', () => {
  const contents = new Map<string, Buffer>();
  const placed = (path: string, content: string, file: number): PlacedFile => {
    const bytes = Buffer.from(content);
    const id = fileIdFromDigest(nodeHasher.sha256(bytes), bytes.length);
    contents.set(id, bytes);
    const entry: FileEntry = { type: 'file', path: path as PackagePath, mode: 0o644, id, size: bytes.length };
    return { part: 0, file, entry, paths: [path] };
  };
  const read = async (file: FileEntry, length: number): Promise<Uint8Array> => (contents.get(file.id) ?? Buffer.alloc(0)).subarray(0, length);

  it('has the same path, else the same but for numbers, else the most in common', async () => {
    const old = [placed('usr/bin/app', words(1, 50), 0), placed('usr/lib/libapp.so.1.2.3', words(2, 50), 1), placed('usr/share/app/first.txt', words(3, 400), 2), placed('usr/share/app/other.txt', words(4, 400), 3)];
    const changed = [placed('usr/bin/app', `${words(4, 400)} x`, 0), placed('usr/lib/libapp.so.1.3', 'short', 1), placed('usr/share/app/renamed.txt', `new line\n${words(3, 400)}`, 2), placed('usr/share/app/nothing.txt', words(5, 400), 3)];
    const found = await findPredecessors(changed, { old, readOld: read, readNew: read });
    assert.deepEqual(changed.map(({ entry }) => found.get(entry.id)?.entry.path), ['usr/bin/app', 'usr/lib/libapp.so.1.2.3', 'usr/share/app/first.txt', undefined]);
  });

  it('is known by patterns that leave versions out', () => {
    assert.equal(withoutVersions('usr/lib/python3.11/libz-1.2.13.so'), withoutVersions('usr/lib/python3.13/libz-1.3.so'));
    assert.notEqual(withoutVersions('usr/bin/a'), withoutVersions('usr/bin/b'));
  });

  it('is told by sketches, wherever something was put in or taken out', () => {
    const text = Buffer.from(words(9, 2000));
    const edited = Buffer.concat([Buffer.from('something new'), text.subarray(0, 20_000), text.subarray(21_000)]);
    assert.ok(similarity(sketchOf(text), sketchOf(edited)) > 0.7);
    assert.ok(similarity(sketchOf(text), sketchOf(Buffer.from(words(10, 2000)))) < 0.1);
    assert.equal(similarity(sketchOf(new Uint8Array()), sketchOf(text)), 0);
  });
});
