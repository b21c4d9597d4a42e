import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { ERROR_CODES } from '../../core/error.ts';

it('docs/errors.md has every code with its exit status and its meaning, and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (\d+) \| ([^|]+) \| [^|]+ \|$/gm)].map(([, code, exit, meaning]) => [code, Number(exit), meaning]);
  const codes = Object.entries(ERROR_CODES).map(([code, { exit, meaning }]) => [code, exit, meaning]);
  assert.deepEqual(rows.toSorted(), codes.toSorted());
});
