/** The user's files where a path becomes something else: a file a directory, a directory a file, in a package or by the user's hand. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { World } from '../cli/world.ts';

const FILE = 'etc/hello/part';
const INNER = 'etc/hello/part/inner';

describe('configuration of which the kind changes', { timeout: 600_000 }, () => {
  const world = new World();

  before(async () => {
    await world.text('repo', 'init', world.repository, '--name', 'tiny');
    const kinds = { '1.0': { [FILE]: 'a file\n' }, '2.0': { [INNER]: 'in a directory\n' }, '3.0': { [FILE]: 'a file again\n' } };
    const packages = Object.entries(kinds).map(([version, files]) => world.package('hello', version, { files }));
    await world.text('publish', world.repository, ...packages);
  });
  beforeEach(async () => {
    rmSync(world.root, { recursive: true, force: true });
    await world.text('repo', 'add', 'tiny', join(world.repository, 'site'), '--yes');
    await install('1.0');
  });
  after(() => world.remove());

  const install = async (version: string): Promise<Record<string, unknown>> => {
    const done = await world.json('install', `hello=${version}`, '--yes');
    assert.equal(done['schema'], 'moss.install/1');
    return done;
  };

  test('follows the package, from a file to a directory and back', async () => {
    await install('2.0');
    assert.equal(world.read(INNER), 'in a directory\n');
    await install('3.0');
    assert.equal(world.read(FILE), 'a file again\n');
  });

  test('leaves a file that the user changed where a directory is to be', async () => {
    writeFileSync(join(world.root, FILE), 'mine\n');
    assert.deepEqual((await install('2.0'))['kept'], [FILE]);
    assert.equal(world.read(FILE), 'mine\n');
    await world.text('verify');
  });

  test('leaves what the user put into a directory, and has the file beside it', async () => {
    await install('2.0');
    writeFileSync(join(world.root, 'etc/hello/part/mine'), 'mine\n');
    assert.deepEqual((await install('3.0'))['beside'], [FILE]);
    assert.equal(world.read('etc/hello/part/mine'), 'mine\n');
    assert.equal(world.read(`${FILE}.moss-new`), 'a file again\n');
    assert.equal(world.exists(INNER), false);
  });

  test('does without what would lie below a file of the user, until that is put aside', async () => {
    rmSync(join(world.root, 'etc/hello'), { recursive: true });
    writeFileSync(join(world.root, 'etc/hello'), 'mine\n');
    await install('2.0');
    assert.equal(world.read('etc/hello'), 'mine\n');
    await world.text('verify', '--restore-config', '--yes');
    assert.equal(world.read(INNER), 'in a directory\n');
    assert.equal(world.read('etc/hello.moss-old'), 'mine\n');
  });
});
