/** Assembles core/dag/x86-64-filter.wat: `node build/filter.ts` after a change of it. A test compares the two. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import loadWabt from 'wabt';

const SOURCE = new URL('../core/dag/x86-64-filter.wat', import.meta.url);
const MODULE = new URL('../core/dag/x86-64-filter.ts', import.meta.url);

/** The module that holds the code as text. */
export async function filterModule(): Promise<string> {
  const { parseWat } = await loadWabt();
  const { buffer } = parseWat('x86-64-filter.wat', readFileSync(SOURCE, 'utf8'), { simd: true }).toBinary({});
  const lines = Buffer.from(buffer).toString('base64').match(/.{1,120}/g) ?? [];
  return `/** x86-64-filter.wat, assembled by build/filter.ts: WebAssembly in base64. */\nexport const code =\n${lines.map((line) => `  '${line}'`).join(' +\n')};\n`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) writeFileSync(MODULE, await filterModule());
