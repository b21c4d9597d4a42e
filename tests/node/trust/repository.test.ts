import assert from 'node:assert/strict';
import { chmod, cp, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { findRoot, initTrust } from '../../../core/trust/bootstrap.ts';
import { refreshTrust } from '../../../core/trust/client.ts';
import { loadTrust } from '../../../core/trust/load.ts';
import { listRepositoryKeys, repositoryStatus } from '../../../node/trust/repository-status.ts';
import { createRepository, refreshSite, signSite } from '../../../node/trust/repository.ts';
import { addKey, importRoot, revokeKey, rotateKey, setThreshold } from '../../../node/trust/root-keys.ts';
import { readRevision, readRoot, writeMetadata } from '../../../node/trust/site.ts';
import { signRevision } from '../../../core/trust/publish.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { signersOfRoles } from '../../../node/trust/repository.ts';
import { Reader, type TestClock, aRootBlock, clockAt } from './reader.ts';

const here = await mkdtemp(join(tmpdir(), 'moss-repository-'));
after(() => rm(here, { recursive: true, force: true }));
const DAY = 86_400_000;
let count = 0;

interface Fixture {
  readonly dir: string;
  readonly clock: TestClock;
  readonly reader: Reader;
}

/** A repository with one revision, and a reader who knows it. */
async function fixture(): Promise<Fixture> {
  count += 1;
  const dir = join(here, `repository-${count}`);
  const clock = clockAt('2030-01-01T00:00:00Z');
  await createRepository(dir, { name: 'example', clock });
  await signSite(dir, { ...aRootBlock(1), clock });
  const reader = new Reader(dir, join(here, `reader-${count}`), clock);
  await initTrust(reader, (await findRoot(reader)).bytes);
  await refreshTrust(reader);
  return { dir, clock, reader };
}

function refused(code: string): (error: { code: string }) => boolean {
  return (error) => error.code === code;
}

void suite('publishing', () => {
  void test('the reader gets the CID of the root block, its size, and the name', async () => {
    const { dir, clock, reader } = await fixture();
    await signSite(dir, { ...aRootBlock(2), custom: { note: 'second' }, clock });
    const trusted = await refreshTrust(reader);
    assert.equal(trusted.rootCid.toString(), aRootBlock(2).rootCid.toString());
    assert.equal(trusted.rootSize, 102);
    assert.deepEqual(trusted.target.custom, { note: 'second' });
    assert.deepEqual(trusted.versions, { root: 1, timestamp: 2, snapshot: 2, targets: 2 });
    assert.equal(trusted.expires, clock.time + 30 * DAY);
    assert.equal(trusted.metadata.root.signed.name, 'example');
  });

  void test('the same keys and time give the same bytes', async () => {
    const { dir, clock } = await fixture();
    const copy = `${dir}-copy`;
    await cp(dir, copy, { recursive: true });
    await signSite(dir, { ...aRootBlock(2), clock });
    await signSite(copy, { ...aRootBlock(2), clock });
    for (const name of await readdir(join(dir, 'site', 'metadata'))) {
      assert.deepEqual(await readFile(join(dir, 'site', 'metadata', name)), await readFile(join(copy, 'site', 'metadata', name)), name);
    }
  });

  void test('a crash after any step leaves the old revision or the new one', async () => {
    const { dir, clock, reader } = await fixture();
    const signers = await signersOfRoles(dir, ['targets', 'snapshot', 'timestamp'], undefined);
    const target = { cid: aRootBlock(2).rootCid, size: 102 };
    const input = { root: (await readRoot(dir)).bytes, previous: await readRevision(dir), target, signers, clock, hasher: nodeHasher };
    const files = await signRevision(input);
    const seen: number[] = [];
    for (let steps = 0; steps <= files.length; steps += 1) {
      await writeMetadata(dir, files.slice(0, steps));
      seen.push((await refreshTrust(reader)).rootSize);
    }
    assert.deepEqual(seen, [101, 101, 101, 102]);
    await signSite(dir, { ...aRootBlock(3), clock });
    assert.equal((await refreshTrust(reader)).rootSize, 103);
  });

  void test('files of revisions long gone are removed, roots never', async () => {
    const { dir, clock } = await fixture();
    await setThreshold(dir, { role: 'root', threshold: 1, clock });
    await writeFile(join(dir, 'site', 'metadata', 'timestamp.json.0123.tmp'), 'half');
    for (let revision = 2; revision <= 20; revision += 1) await signSite(dir, { ...aRootBlock(revision), clock });
    const names = await readdir(join(dir, 'site', 'metadata'));
    assert.equal(names.filter((name) => name.endsWith('.targets.json')).length, 16);
    assert.ok(names.includes('20.targets.json') && !names.includes('4.targets.json'));
    assert.ok(names.includes('1.root.json') && names.includes('2.root.json'));
    assert.ok(names.every((name) => !name.endsWith('.tmp')));
  });

  void test('it refuses to begin where something is, and to sign what is no repository', async () => {
    const { dir, clock } = await fixture();
    await assert.rejects(createRepository(dir, { name: 'again', clock }), refused('exists'));
    await assert.rejects(signSite(join(here, 'nowhere'), { ...aRootBlock(1), clock }), refused('not-found'));
    await assert.rejects(createRepository(join(here, 'bad'), { name: 'x', rootKeys: 2, threshold: 3, clock }), refused('usage'));
  });
});

void suite('a site that was changed', () => {
  void test('with one byte changed anywhere in metadata, it is refused', async () => {
    const { dir, clock, reader } = await fixture();
    await signSite(dir, { ...aRootBlock(2), clock });
    for (const name of ['timestamp.json', '2.snapshot.json', '2.targets.json']) {
      const file = join(dir, 'site', 'metadata', name);
      const good = await readFile(file);
      for (let at = 0; at < good.length; at += 37) {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ 0x01;
        await writeFile(file, bad);
        const outcome = await refreshTrust(reader).then(
          () => 'accepted',
          (error: { code: string }) => error.code,
        );
        assert.ok(['bad-metadata', 'bad-signature', 'metadata-mismatch'].includes(outcome), `${name} at ${at}: ${outcome}`);
      }
      await writeFile(file, good);
    }
    assert.equal((await refreshTrust(reader)).rootSize, 102);
  });

  void test('rolled back to an earlier copy, it is refused', async () => {
    const { dir, clock, reader } = await fixture();
    await cp(join(dir, 'site'), join(dir, 'earlier'), { recursive: true });
    await signSite(dir, { ...aRootBlock(2), clock });
    await refreshTrust(reader);
    await cp(join(dir, 'earlier'), join(dir, 'site'), { recursive: true });
    await assert.rejects(refreshTrust(reader), refused('metadata-rollback'));
    assert.equal((await loadTrust(reader)).rootSize, 102);
  });

  void test('frozen past its expiry, it is refused, and refreshed it is not', async () => {
    const { dir, clock, reader } = await fixture();
    clock.time += 31 * DAY;
    await assert.rejects(refreshTrust(reader), refused('metadata-expired'));
    await assert.rejects(loadTrust(reader), refused('metadata-expired'));
    assert.equal((await loadTrust(reader, { allowExpired: true })).rootSize, 101);
    const status = await refreshSite(dir, { clock });
    assert.deepEqual(status.warnings, []);
    assert.equal((await refreshTrust(reader)).rootSize, 101);
  });

  void test('begun anew with other keys, it is refused with its own code', async () => {
    const { dir, clock, reader } = await fixture();
    await rm(dir, { recursive: true });
    await createRepository(dir, { name: 'example', clock });
    await signSite(dir, { ...aRootBlock(1), clock });
    await assert.rejects(refreshTrust(reader), refused('root-changed'));
  });
});

void suite('keys of a repository', () => {
  void test('a new timestamp key is there for readers old and new, at every step', async () => {
    const { dir, clock, reader } = await fixture();
    assert.deepEqual(await rotateKey(dir, { role: 'timestamp', clock }), { state: 'published', version: 2 });
    // A source that does not have the new root yet, and one that has.
    const file = join(dir, 'site', 'metadata', '2.root.json');
    const root = await readFile(file);
    await rm(file);
    assert.deepEqual((await refreshTrust(reader)).versions, { root: 1, timestamp: 2, snapshot: 2, targets: 2 });
    await writeFile(file, root);
    assert.deepEqual((await refreshTrust(reader)).versions, { root: 2, timestamp: 2, snapshot: 2, targets: 2 });
    // The old key signs nothing any more.
    await signSite(dir, { ...aRootBlock(2), clock });
    const { signatures }: { signatures: unknown[] } = JSON.parse(await readFile(join(dir, 'site', 'metadata', 'timestamp.json'), 'utf8'));
    assert.equal(signatures.length, 1);
  });

  void test('a lost timestamp key can be replaced all the same', async () => {
    const { dir, clock, reader } = await fixture();
    for (const key of await listRepositoryKeys(dir)) {
      if (key.roles.includes('timestamp') && key.file !== undefined) await rm(key.file.file);
    }
    await assert.rejects(refreshSite(dir, { clock }), refused('missing-key'));
    await rotateKey(dir, { role: 'timestamp', clock });
    assert.deepEqual((await refreshTrust(reader)).versions, { root: 2, timestamp: 2, snapshot: 2, targets: 2 });
  });

  void test('keys are added, counted and revoked', async () => {
    const { dir, clock, reader } = await fixture();
    await addKey(dir, { role: 'targets', clock });
    await setThreshold(dir, { role: 'targets', threshold: 2, clock });
    const keys = (await listRepositoryKeys(dir)).filter((key) => key.roles.includes('targets'));
    assert.equal(keys.length, 2);
    assert.equal((await refreshTrust(reader)).versions.root, 3);
    const [first] = keys;
    assert.ok(first);
    await assert.rejects(revokeKey(dir, { role: 'targets', keyId: first.keyId, clock }), refused('usage'));
    await setThreshold(dir, { role: 'targets', threshold: 1, clock });
    await revokeKey(dir, { role: 'targets', keyId: first.keyId.slice(0, 8), clock });
    await signSite(dir, { ...aRootBlock(2), clock });
    assert.equal((await refreshTrust(reader)).rootSize, 102);
    await assert.rejects(importRoot(dir, new Uint8Array(0), { clock }), refused('not-found'));
  });

  void test('with a passphrase, nothing is signed and no key is made without it', async () => {
    const dir = join(here, 'passphrase');
    const clock = clockAt('2030-01-01T00:00:00Z');
    await createRepository(dir, { name: 'example', passphrase: 'words', clock });
    const keys = await readdir(join(dir, 'keys'));
    await assert.rejects(signSite(dir, { ...aRootBlock(1), clock }), refused('bad-passphrase'));
    await assert.rejects(addKey(dir, { role: 'targets', passphrase: 'other words', clock }), refused('bad-passphrase'));
    await assert.rejects(rotateKey(dir, { role: 'timestamp', clock }), refused('bad-passphrase'));
    assert.deepEqual(await readdir(join(dir, 'keys')), keys);
    await signSite(dir, { ...aRootBlock(1), passphrase: 'words', clock });
    await rotateKey(dir, { role: 'timestamp', passphrase: 'words', clock });
    assert.ok((await listRepositoryKeys(dir)).every((key) => key.file?.encrypted));
  });

  void test('status warns before it is too late, and of keys that others can read', async () => {
    const { dir, clock } = await fixture();
    assert.deepEqual((await repositoryStatus(dir, { clock })).warnings, []);
    clock.time += 25 * DAY;
    assert.deepEqual((await repositoryStatus(dir, { clock })).warnings.map((warning) => warning.type), ['expires-soon']);
    clock.time += 10 * DAY;
    assert.deepEqual((await repositoryStatus(dir, { clock })).warnings.map((warning) => warning.type), ['expired']);
    const [key] = await listRepositoryKeys(dir);
    assert.ok(key?.file);
    assert.equal((await stat(key.file.file)).mode & 0o777, 0o600);
    await chmod(key.file.file, 0o644);
    assert.ok((await repositoryStatus(dir, { clock })).warnings.some((warning) => warning.type === 'exposed-key'));
  });

  void test('refreshing renews targets and snapshot before they run out', async () => {
    const { dir, clock, reader } = await fixture();
    for (let month = 0; month < 6; month += 1) {
      clock.time += 29 * DAY;
      await refreshSite(dir, { clock });
      await refreshTrust(reader);
    }
    const status = await repositoryStatus(dir, { clock });
    assert.equal(status.roles.find((role) => role.role === 'targets')?.version, 2);
    assert.equal((await refreshTrust(reader)).rootSize, 101);
  });
});
