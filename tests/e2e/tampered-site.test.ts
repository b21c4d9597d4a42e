import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ERROR_CODES, type ErrorCode } from '../../core/error.ts';
import { makeRepository, temporaryDirectory, writePackage, type Repository } from './fixture.ts';
import { document, moss, mossDone, type Ran } from './moss.ts';
import { visibleSystem } from './root-snapshot.ts';

describe('a site that was tampered with', () => {
  const directory = temporaryDirectory('tampered');
  const template = join(directory.path, 'template');
  const root = join(directory.path, 'root');
  const site = join(directory.path, 'site');
  let repository: Repository;
  let older: string;
  let old: string[];

  /** Updates and installs, as far as it goes. */
  const use = async (env: Record<string, string> = {}): Promise<Ran> => {
    const updated = await moss(['repo', 'update', '--json'], { root, env });
    return updated.status === 0 ? moss(['install', 'new', '--yes', '--json'], { root, env }) : updated;
  };
  const reset = (from: string): void => {
    for (const each of [root, site]) rmSync(each, { recursive: true, force: true });
    cpSync(template, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    cpSync(from, site, { recursive: true });
  };

  before(async () => {
    repository = await makeRepository(directory.path, [writePackage(directory.path, { name: 'old', small: 3 })], 'repository');
    older = join(directory.path, 'older');
    cpSync(repository.site, older, { recursive: true });
    // The address stays the same: what is served there changes.
    cpSync(repository.site, site, { recursive: true });
    await mossDone(['repo', 'add', 'test', site, '--fingerprint', repository.fingerprint], { root: template });
    await mossDone(['install', 'old', '--yes'], { root: template });
    old = visibleSystem(template);
    await mossDone(['publish', repository.directory, writePackage(directory.path, { name: 'new', small: 4 })]);
  });
  after(directory.remove);

  it('in one byte of any file is noticed, or not looked at; the old state stays', async (test) => {
    const counts = { noticed: 0, unused: 0 };
    for (const kind of ['metadata', 'blocks']) {
      for (const name of readdirSync(join(repository.site, kind))) {
        reset(repository.site);
        const path = join(site, kind, name);
        const bytes = readFileSync(path);
        const at = (bytes.length * 2) / 3;
        bytes[Math.floor(at)] = (bytes[Math.floor(at)] ?? 0) ^ 1;
        writeFileSync(path, bytes);
        const ran = await use();
        if (ran.status === 0) {
          counts.unused++;
          continue;
        }
        counts.noticed++;
        const { code, message } = document(ran);
        assert.ok(typeof code === 'string' && code in ERROR_CODES && code !== 'bug', `${kind}/${name}: ${String(code)} ${String(message)}`);
        assert.equal(ran.status, ERROR_CODES[code as ErrorCode].exit);
        assert.deepEqual(visibleSystem(root), old, `${kind}/${name}`);
      }
    }
    test.diagnostic(`${counts.noticed} noticed, ${counts.unused} of files that nobody needed`);
    assert.ok(counts.noticed >= 6);
  });

  it('by putting an earlier revision back is a rollback', async () => {
    reset(repository.site);
    await mossDone(['repo', 'update'], { root });
    rmSync(site, { recursive: true });
    cpSync(older, site, { recursive: true });
    const ran = await moss(['repo', 'update', '--json'], { root });
    assert.deepEqual([document(ran)['code'], ran.status], ['metadata-rollback', 1]);
    assert.deepEqual(visibleSystem(root), old);
  });

  it('by taking a file of metadata away is noticed', async () => {
    reset(repository.site);
    rmSync(join(site, 'metadata/timestamp.json'));
    const ran = await moss(['repo', 'update', '--json'], { root });
    assert.deepEqual([document(ran)['code'], ran.status], ['metadata-missing', 69]);
  });

  it('by taking all blocks away is no-source', async () => {
    reset(repository.site);
    rmSync(join(site, 'blocks'), { recursive: true });
    const ran = await use();
    assert.deepEqual([document(ran)['code'], ran.status], ['no-source', 69]);
    assert.deepEqual(visibleSystem(root), old);
  });

  it('by swapping two blocks is noticed', async () => {
    reset(repository.site);
    const names = readdirSync(join(site, 'blocks'));
    const all = names.map((name) => readFileSync(join(site, 'blocks', name)));
    for (const [i, name] of names.entries()) writeFileSync(join(site, 'blocks', name), all[(i + 1) % all.length] ?? Buffer.alloc(0));
    const ran = await use();
    assert.deepEqual([document(ran)['code'], ran.status], ['no-source', 69]);
  });

  it('by other keys is not the repository that was trusted', async () => {
    const other = await makeRepository(directory.path, [writePackage(directory.path, { name: 'evil', small: 1 })], 'other');
    reset(other.site);
    const ran = await moss(['repo', 'update', '--json'], { root });
    assert.equal(ran.status, 1);
    assert.notEqual(document(ran)['code'], 'bug');
    const fresh = join(directory.path, 'fresh');
    const added = await moss(['repo', 'add', 'test', site, '--fingerprint', repository.fingerprint, '--json'], { root: fresh });
    assert.deepEqual([document(added)['code'], added.status], ['wrong-fingerprint', 1]);
  });
});

describe('a site that is frozen', () => {
  const directory = temporaryDirectory('frozen');
  after(directory.remove);

  it('past the end of its metadata is refused, with a word on what to do', async () => {
    const name = writePackage(directory.path, { name: 'old', small: 2 });
    const path = join(directory.path, 'repository');
    // Signed long ago by an honest publisher: everything in it has expired.
    const env = { SOURCE_DATE_EPOCH: '1700000000' };
    await mossDone(['repo', 'init', path, '--name', 'old'], { env });
    await mossDone(['publish', path, name], { env });
    const root = join(directory.path, 'root');
    const ran = await moss(['repo', 'add', 'old', join(path, 'site'), '--yes', '--json'], { root });
    assert.deepEqual([document(ran)['code'], ran.status], ['metadata-expired', 1]);
  });
});
