/** What docs/json.md says of each document, for the tests that hold the program against it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Fields {
  required: Set<string>;
  optional: Set<string>;
}

/** The fields of each schema, from its heading and table. */
export const DOCUMENTED: ReadonlyMap<string, Fields> = readDocuments(readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'json.md'), 'utf8'));

/** Schemas that were emitted, so that a test can tell which never were. */
export const SEEN = new Set<string>();

export function checkDocument(document: Record<string, unknown>): void {
  const { schema, ...fields } = document;
  assert.ok(typeof schema === 'string', `a document without a schema: ${JSON.stringify(document)}`);
  SEEN.add(schema);
  const documented = DOCUMENTED.get(schema);
  assert.ok(documented !== undefined, `docs/json.md does not know ${schema}`);
  const names = Object.keys(fields);
  assert.deepEqual(names.filter((name) => !documented.required.has(name) && !documented.optional.has(name)), [], `${schema} has fields that docs/json.md does not know`);
  assert.deepEqual([...documented.required].filter((name) => !names.includes(name)), [], `${schema} lacks fields that docs/json.md promises`);
}

function readDocuments(text: string): Map<string, Fields> {
  const out = new Map<string, Fields>();
  for (const section of text.split(/^### /m).slice(1)) {
    const [heading = ''] = section.split('\n', 1);
    const rows = [...section.split(/^## /m, 1)[0]?.matchAll(/^\| `(\w+)(\??)` \|/gm) ?? []];
    const fields = {
      required: new Set(rows.filter(([, , mark]) => mark === '').map(([, name = '']) => name)),
      optional: new Set(rows.filter(([, , mark]) => mark === '?').map(([, name = '']) => name)),
    };
    for (const [, schema = ''] of heading.matchAll(/`(moss\.[\w-]+\/\d+)`/g)) out.set(schema, fields);
  }
  return out;
}
