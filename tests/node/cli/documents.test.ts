/** docs/json.md and docs/errors.md say what the program does. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERROR_CODES } from '../../../core/error.ts';
import { DOCUMENTED } from './documented.ts';

const TOP = join(import.meta.dirname, '..', '..', '..');

/** Names of documents wherever they are given as a text: to `result`, or to what calls it. */
function emittedSchemas(): Set<string> {
  const found = new Set<string>();
  const forms = [/\.result\(\s*'([\w-]+)'/g, /AndReport\(\s*context,\s*'([\w-]+)'/g, /schema: '([\w-]+)'/g, /schema: 'moss\.([\w-]+)\/1'/g];
  for (const file of readdirSync(join(TOP, 'node'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))) {
    const source = readFileSync(join(TOP, 'node', file), 'utf8');
    for (const form of forms) for (const [, name = ''] of source.matchAll(form)) found.add(`moss.${name}/1`);
  }
  return found;
}

test('every document is described, and every description is of a document', () => {
  const emitted = emittedSchemas();
  assert.ok(emitted.size > 30);
  assert.deepEqual([...emitted].toSorted(), [...DOCUMENTED.keys()].toSorted());
});

test('every event is described', () => {
  const types = [...readFileSync(join(TOP, 'core/install/event.ts'), 'utf8').matchAll(/type: '(\w+)'/g)].map(([, type = '']) => type);
  const text = readFileSync(join(TOP, 'docs/json.md'), 'utf8');
  assert.deepEqual(types.filter((type) => !text.includes(`| \`${type}\` |`)), []);
});

test('every error code is described, with its exit status and meaning', () => {
  const rows = [...readFileSync(join(TOP, 'docs/errors.md'), 'utf8').matchAll(/^\| `([\w-]+)` \| (\d+) \| (.+?) \| (.+) \|$/gm)];
  assert.deepEqual(
    rows.map(([, code, exit, meaning]) => `${code} ${exit} ${meaning}`).toSorted(),
    Object.entries(ERROR_CODES).map(([code, { exit, meaning }]) => `${code} ${exit} ${meaning}`).toSorted(),
  );
  for (const [, code, , , todo = ''] of rows) assert.ok(todo.length > 10, `${code} says what to do`);
});
