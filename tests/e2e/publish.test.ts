import assert from 'node:assert/strict';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeRepository, temporaryDirectory, writePackage, type Repository } from './fixture.ts';
import { document, moss, mossDone } from './moss.ts';
import { fingerprintOf } from './root-snapshot.ts';

const KILLS = Number(process.env['MOSS_TEST_KILLS'] ?? 10);

describe('publishing', () => {
  const directory = temporaryDirectory('publish');
  let repository: Repository;
  let first: string[];
  let next: string[];

  before(async () => {
    first = [writePackage(directory.path, { name: 'alpha', small: 10 }), writePackage(directory.path, { name: 'beta', small: 5, large: 1_200_000, depends: ['alpha'] })];
    next = [writePackage(directory.path, { name: 'alpha', version: '2.0', small: 10, large: 2_300_000 }), writePackage(directory.path, { name: 'gamma', small: 5 })];
    repository = await makeRepository(directory.path, first, 'first');
  });
  after(directory.remove);

  it('gives the same blocks and the same index for the same input, in another repository', async () => {
    const other = await makeRepository(join(directory.path, 'elsewhere'), first.toReversed(), 'first');
    assert.deepEqual(readdirSync(join(other.site, 'blocks')).toSorted(), readdirSync(join(repository.site, 'blocks')).toSorted());
  });

  it('of what is known packs nothing and touches nothing', async () => {
    const old = fingerprintOf(repository.site);
    const again = document(await mossDone(['publish', repository.directory, ...first, '--json']));
    assert.deepEqual([again['changed'], again['packed'], again['unchanged']], [false, 0, 2]);
    assert.deepEqual(fingerprintOf(repository.site), old);
  });

  it('of one more package leaves the blocks of the others as they are', async () => {
    const copy = join(directory.path, 'one-more');
    cpSync(repository.directory, copy, { recursive: true, preserveTimestamps: true });
    const old = fingerprintOf(join(copy, 'site/blocks'));
    const done = document(await mossDone(['publish', copy, ...next, '--json']));
    assert.deepEqual([done['changed'], done['packed'], done['revision']], [true, 2, 2]);
    const now = new Set(fingerprintOf(join(copy, 'site/blocks')));
    assert.deepEqual(old.filter((line) => !now.has(line)), []);
  });

  it('twice at once gives two revisions, one after the other', async () => {
    const copy = join(directory.path, 'at-once');
    cpSync(repository.directory, copy, { recursive: true, preserveTimestamps: true });
    const runs = await Promise.all(next.map((each) => mossDone(['publish', copy, each, '--json'])));
    assert.deepEqual(runs.map((ran) => document(ran)['revision']).toSorted(), [2, 3]);
    await installs(copy, ['beta', 'gamma']);
  });

  it('is the old revision or the new one whenever it is killed, and the next publication completes', async (test) => {
    const copy = join(directory.path, 'killed');
    const seen = new Set<unknown>();
    cpSync(repository.directory, copy, { recursive: true, preserveTimestamps: true });
    const { ms } = await mossDone(['publish', copy, ...next]);
    for (let round = 0; round < KILLS; round++) {
      rmSync(copy, { recursive: true });
      cpSync(repository.directory, copy, { recursive: true, preserveTimestamps: true });
      const share = ((round * 7) % KILLS) / KILLS;
      await moss(['publish', copy, ...next], { kill: { after: 200 + (ms - 200) * share, signal: 'SIGKILL' } });
      const revision = await installs(copy, ['beta']);
      assert.ok(revision === 1 || revision === 2, `revision ${String(revision)}`);
      seen.add(revision);
      const again = document(await mossDone(['publish', copy, ...next, '--json']));
      assert.equal(again['revision'], 2);
      if (round % 5 === 0) assert.equal(await installs(copy, ['gamma', 'alpha=2.0', 'beta']), 2);
      const left = readdirSync(join(copy, 'site/blocks')).filter((name) => name.startsWith('.'));
      assert.deepEqual(left, [], 'nothing is left over');
    }
    test.diagnostic(`${KILLS} kills; revisions seen: ${[...seen].join(', ')}`);
  });

  /** Adds the repository to a fresh root and installs from it; gives the revision. */
  async function installs(copy: string, names: string[]): Promise<unknown> {
    const root = join(directory.path, 'root');
    rmSync(root, { recursive: true, force: true });
    const added = document(await mossDone(['repo', 'add', 'test', join(copy, 'site'), '--fingerprint', repository.fingerprint, '--json'], { root }));
    await mossDone(['install', ...names, '--yes'], { root });
    return added['revision'];
  }
});
