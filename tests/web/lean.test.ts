/** What `npm ci` brings: packages and megabytes, with a budget, and nothing of React Native. */
import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

const PROJECT = join(import.meta.dirname, '../..');
const MODULES = realpathSync(join(PROJECT, 'node_modules'));
const BUDGET = { packages: 240, megabytes: 400 };

interface Locked {
  packages: Record<string, { optional?: boolean; link?: boolean; resolved?: string }>;
}

it('npm ci stays lean: no React Native, and few packages', (test) => {
  const { packages } = JSON.parse(readFileSync(join(MODULES, '.package-lock.json'), 'utf8')) as Locked;
  const names = Object.keys(packages).filter((path) => path.startsWith('node_modules/'));
  const megabytes = Math.round(bytesBelow(MODULES) / 1e6);
  test.diagnostic(`${names.length} packages, ${megabytes} MB`);
  // The stub that stands in for it is a link into this project.
  const native = names.filter((name) => /react-native|(^|\/)react($|\/)/.test(name) && packages[name]?.link !== true && packages[name]?.resolved?.startsWith('http') === true);
  assert.deepEqual(native, []);
  assert.ok(names.length <= BUDGET.packages, `${names.length} packages`);
  assert.ok(megabytes <= BUDGET.megabytes, `${megabytes} MB`);
});

/** Files that have two names, such as Node's own binary, count once. */
function bytesBelow(directory: string, seen = new Set<number>()): number {
  let sum = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    // Caches of tools come later.
    if (entry.isDirectory() && !entry.name.startsWith('.')) sum += bytesBelow(path, seen);
    if (!entry.isFile()) continue;
    const { size, ino } = lstatSync(path);
    if (!seen.has(ino)) sum += size;
    seen.add(ino);
  }
  return sum;
}
