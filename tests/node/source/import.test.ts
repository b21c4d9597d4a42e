import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { importDeb } from '../../../node/source/deb.ts';
import { importerFor } from '../../../node/source/import.ts';
import { importStone } from '../../../node/source/stone.ts';
import { deb } from '../../fixtures/deb-package.ts';
import { inTemporary } from '../../fixtures/importing.ts';
import { stone } from '../../fixtures/stone-package.ts';

test('the importer is found by what a file holds, whatever its name', async () => {
  await inTemporary(async (directory) => {
    const [one, two, three, four] = ['a.stone', 'b.deb', 'c', 'd.deb'].map((name) => join(directory, name));
    assert.ok(one && two && three && four);
    writeFileSync(one, deb());
    writeFileSync(two, await stone());
    mkdirSync(three);
    writeFileSync(four, 'PK');
    assert.equal(importerFor(one), importDeb);
    assert.equal(importerFor(two), importStone);
    assert.equal(typeof importerFor(three), 'function');
    assert.throws(() => importerFor(four), { code: 'unsupported', message: /d\.deb, at byte 0: it is no \.deb, no \.stone and no directory/ });
    assert.throws(() => importerFor(join(directory, 'none')), { code: 'io', message: /none.*ENOENT/ });
  });
});

test('a pipe is not waited for', async () => {
  await inTemporary(async (directory) => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    assert.throws(() => importerFor(pipe), { code: 'unsupported', message: /neither a file nor a directory/ });
  });
});
