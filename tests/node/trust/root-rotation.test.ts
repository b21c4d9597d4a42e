import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findRoot, initTrust } from '../../../core/trust/bootstrap.ts';
import { refreshTrust } from '../../../core/trust/client.ts';
import { createRepository, signSite } from '../../../node/trust/repository.ts';
import { changeRoot, exportRoot, importRoot, signRootFile } from '../../../node/trust/root-keys.ts';
import { createKey } from '../../../node/trust/keys.ts';
import { Reader, aRootBlock, clockAt } from './reader.ts';

const here = await mkdtemp(join(tmpdir(), 'moss-rotation-'));
after(() => rm(here, { recursive: true, force: true }));

/**
 * Three people share the root of a repository; any two of them may change its keys. One of them loses her key. This
 * is how it is replaced, with the root keys on three machines that the publishing machine never sees.
 */
void test('a 2-of-3 root gets a new key, signed by two people on their own machines', async () => {
  const dir = join(here, 'repository');
  const clock = clockAt('2030-01-01T00:00:00Z');

  // The repository begins with three root keys, of which two must sign.
  const { keys, fingerprint } = await createRepository(dir, { name: 'example', rootKeys: 3, threshold: 2, clock });
  const [anna, ben, carla] = keys.root;
  assert.ok(anna && ben && carla);

  // Each takes one key home. On the publishing machine none is left.
  const home = async (person: string, file: string): Promise<string> => {
    await cp(file, join(here, person, 'root.pem'));
    await rm(file);
    return join(here, person);
  };
  const annas = await home('anna', anna.file);
  const bens = await home('ben', ben.file);
  await home('carla', carla.file);

  // Publishing needs no root key.
  await signSite(dir, { ...aRootBlock(1), clock });

  // A user compares the fingerprint, and adds the repository.
  const reader = new Reader(dir, join(here, 'reader'), clock);
  const found = await findRoot(reader, { fingerprint });
  await initTrust(reader, found.bytes);
  assert.equal((await refreshTrust(reader)).versions.root, 1);

  // Carla loses her key. A new one is made for her, and its public half brought here.
  const carlasNew = await createKey({ directory: join(here, 'carla-new'), name: 'root' });
  const result = await changeRoot(
    dir,
    [
      { type: 'add-key', role: 'root', key: carlasNew.key },
      { type: 'remove-key', role: 'root', keyId: carla.keyId },
    ],
    { clock },
  );

  // There is no root key here, so the new root waits. Readers see nothing of it.
  assert.ok(result.state === 'draft');
  assert.deepEqual([result.progress.old.signed.length, result.progress.old.threshold], [0, 2]);
  assert.equal((await refreshTrust(reader)).versions.root, 1);

  // Anna signs at home. That is one of two: it still waits.
  const draft = await exportRoot(dir, { clock });
  const byAnna = await signRootFile(draft, { directory: annas });
  const afterAnna = await importRoot(dir, byAnna, { clock });
  assert.ok(afterAnna.state === 'draft');
  assert.deepEqual(afterAnna.progress.old.signed, [anna.keyId]);

  // Ben signs the same draft, without Anna's signature on it. Both come together here.
  const byBen = await signRootFile(draft, { directory: bens });
  assert.deepEqual(await importRoot(dir, byBen, { clock }), { state: 'published', version: 2 });

  // The reader follows, because two of the three keys that it trusts agree.
  assert.equal((await refreshTrust(reader)).versions.root, 2);

  // From now on Carla's new key counts, and her old one does not.
  const next = await exportRoot(dir, { clock });
  const byCarlasOldKey = await signRootFile(next, { directory: join(here, 'carla') });
  const useless = await importRoot(dir, byCarlasOldKey, { clock });
  assert.ok(useless.state === 'draft');
  assert.deepEqual(useless.progress.old.signed, []);
  await importRoot(dir, await signRootFile(next, { directory: join(here, 'carla-new') }), { clock });
  assert.deepEqual(await importRoot(dir, await signRootFile(next, { directory: annas }), { clock }), { state: 'published', version: 3 });
  assert.equal((await refreshTrust(reader)).versions.root, 3);

  // A new user who was given the old fingerprint comes in through the old root, and ends up at the same place.
  const newcomer = new Reader(dir, join(here, 'newcomer'), clock);
  await initTrust(newcomer, (await findRoot(newcomer, { fingerprint })).bytes);
  assert.equal((await refreshTrust(newcomer)).versions.root, 3);
});

void test('a root that only one of the two needed keys signed is refused, with words for it', async () => {
  const dir = join(here, 'stolen');
  const clock = clockAt('2030-01-01T00:00:00Z');
  const { keys } = await createRepository(dir, { name: 'example', rootKeys: 3, threshold: 2, clock });
  await signSite(dir, { ...aRootBlock(1), clock });
  const reader = new Reader(dir, join(here, 'stolen-reader'), clock);
  await initTrust(reader, (await findRoot(reader)).bytes);
  await refreshTrust(reader);

  // The thief has one root key, and puts a root of their own into the site with it.
  const [stolen, ...others] = keys.root;
  assert.ok(stolen);
  for (const other of others) await rename(other.file, join(here, other.keyId));
  const own = await createKey({ directory: join(dir, 'keys'), name: 'root' });
  const forged = await changeRoot(dir, [{ type: 'add-key', role: 'root', key: own.key }], { clock });
  assert.ok(forged.state === 'draft');
  await cp(forged.file, join(dir, 'site', 'metadata', '2.root.json'));

  await assert.rejects(refreshTrust(reader), (error: { code: string; message: string; hint: string }) => {
    assert.equal(error.code, 'root-changed');
    assert.match(error.message, /keys of this repository have changed, and the keys that you trust did not agree/);
    assert.match(error.hint, /Ask the publisher in another way/);
    return true;
  });
  // What was trusted before still is.
  const kept: unknown = JSON.parse(await readFile(join(here, 'stolen-reader', 'root.json'), 'utf8'));
  assert.deepEqual(kept, JSON.parse(await readFile(join(dir, 'site', 'metadata', '1.root.json'), 'utf8')));
});
