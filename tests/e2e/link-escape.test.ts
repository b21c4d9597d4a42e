import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { makeRepository, temporaryDirectory, writePackage } from './fixture.ts';
import { moss, mossDone } from './moss.ts';

/**
 * Each link of these packages stays inside by its text. But the kernel follows the one in the middle before it goes
 * upwards, so that together they lead out.
 */
describe('links that lead out only together', () => {
  const directory = temporaryDirectory('links');
  after(directory.remove);

  it('let nothing be written outside of the root, whatever the next version holds below them', async () => {
    const first = writePackage(directory.path, { name: 'evil', small: 1 });
    const second = writePackage(directory.path, { name: 'evil', version: '2.0', small: 1 });
    for (const each of [first, second]) {
      mkdirSync(join(each, 'usr/a/b/c'), { recursive: true });
      symlinkSync('../../../..', join(each, 'usr/a/b/c/up'));
    }
    mkdirSync(join(first, 'etc'));
    // From the state: states, .moss, the root, what is around it, and one more.
    symlinkSync('../usr/a/b/c/up/../../../../../outside', join(first, 'etc/evil'));
    mkdirSync(join(second, 'etc/evil'), { recursive: true });
    writeFileSync(join(second, 'etc/evil/passwd'), 'gotcha\n');

    const around = join(directory.path, 'around');
    const outside = join(around, 'outside');
    const root = join(around, 'one', 'root');
    mkdirSync(outside, { recursive: true });
    const repository = await makeRepository(directory.path, [first]);
    await mossDone(['repo', 'add', 'test', repository.site, '--fingerprint', repository.fingerprint], { root });
    // Refusing the package is as good as containing it.
    const installed = await moss(['install', 'evil', '--yes'], { root });
    await mossDone(['publish', repository.directory, second]);
    await mossDone(['repo', 'update'], { root });
    if (installed.status === 0) await moss(['install', 'evil=2.0', '--yes'], { root });
    assert.deepEqual(readdirSync(outside), [], 'something was written outside of the root');
    assert.deepEqual(readdirSync(around).toSorted(), ['one', 'outside']);
    rmSync(around, { recursive: true });
  });
});
