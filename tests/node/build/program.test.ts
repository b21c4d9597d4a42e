/** The program as it is shipped: few files, which still find what lies beside the modules that they are made of. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { bundleProgram } from '../../../build/program.ts';

const PROJECT = join(import.meta.dirname, '..', '..', '..');
let dist = '';

before(async () => {
  dist = mkdtempSync(join(tmpdir(), 'moss-program-'));
  await bundleProgram(dist);
});
after(() => rmSync(dist, { recursive: true, force: true }));

function files(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name)).filter((path) => statSync(path).isFile());
}

test('each entry is one file, and what it loads later on lies beside it', () => {
  for (const entry of ['node/main', 'node/store/store-worker', 'node/peer/asking-thread']) assert.ok(existsSync(join(dist, `${entry}.js`)), entry);
  assert.ok(existsSync(join(dist, 'node/main/sync.js')));
});

test('a module that is in another file now still takes itself for where its source is', () => {
  const places = files(dist).flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/new URL\("(\.[^"]*\.js)", import\.meta\.url\)\.href/g)].map(([, place = '']) => relative(dist, new URL(place, pathToFileURL(path)).pathname)),
  );
  for (const place of ['node/store/pool.js', 'node/publish/publish.js', 'node/peer/list-elsewhere.js', 'node/cli/serve.js']) assert.ok(places.includes(place), place);
  for (const place of places) assert.ok(existsSync(join(PROJECT, place.replace(/\.js$/, '.ts'))), place);
});
