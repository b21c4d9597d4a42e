/** Durability by the file system: what is there cannot be seen, but that it is asked for, and what happens where it fails. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { prepareSync, syncFileSystem } from '../../../node/store/durable.ts';
import { SyncProcess } from '../../../node/store/sync-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'moss-sync-'));
after(() => rmSync(directory, { recursive: true }));

/** A program `sync` that notes what it is called with, in front of the real one, as long as `work` runs. */
async function withProgram(script: string, work: (calls: () => string[]) => Promise<void>): Promise<void> {
  const programs = mkdtempSync(join(directory, 'bin-'));
  const log = join(programs, 'log');
  writeFileSync(join(programs, 'sync'), `#!/bin/sh\nprintf '%s\\n' "$*" >> '${log}'\n${script}\n`, { mode: 0o755 });
  const { PATH } = process.env;
  process.env['PATH'] = `${programs}${delimiter}${PATH}`;
  try {
    await work(() => (existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : []));
  } finally {
    process.env['PATH'] = PATH;
  }
}

test('a file system is synced each time that it is asked for, by one process', async () => {
  await withProgram('exit 0', async (calls) => {
    const it = new SyncProcess();
    it.start();
    assert.deepEqual(await Promise.all([it.sync('/one two'), it.sync('/three')]), [true, true]);
    assert.equal(await it.sync("/it's $HOME `id`\\"), true);
    assert.deepEqual(calls(), ['-f /one two', '-f /three', "-f /it's $HOME `id`\\"]);
  });
});

test('where the program fails, or is ended, that is told', async () => {
  await withProgram('case "$2" in /bad) exit 1;; /kill) kill $PPID;; esac', async () => {
    const it = new SyncProcess();
    assert.deepEqual(await Promise.all([it.sync('/good'), it.sync('/bad'), it.sync('/good')]), [true, false, true]);
    assert.deepEqual(await Promise.all([it.sync('/kill'), it.sync('/good')]), [false, false]);
    assert.equal(await it.sync('/good'), true);
  });
});

test('a name of two lines is none', async () => {
  assert.equal(await new SyncProcess().sync(`${directory}\n${directory}`), false);
});

test('what the program does not sync is synced file by file', async () => {
  const strange = join(directory, 'a\nb');
  mkdirSync(strange);
  writeFileSync(join(strange, 'file'), 'content');
  await syncFileSystem(strange);
  await assert.rejects(syncFileSystem(join(directory, 'nothing')), { code: 'ENOENT' });
});

test('the process does not keep its parent from ending, and ends with it', () => {
  const durable = new URL('../../../node/store/durable.ts', import.meta.url).href;
  const script = `
    const { prepareSync, syncFileSystem } = await import(${JSON.stringify(durable)});
    prepareSync();
    await syncFileSystem(${JSON.stringify(directory)});
    process.stdout.write('synced');`;
  // It would wait for whoever still has its output.
  assert.equal(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', timeout: 300_000 }), 'synced');
  prepareSync();
});
