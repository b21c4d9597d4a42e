#!/usr/bin/env node
// Starts moss: the built program where there is one, else the sources, which Node 24 runs as they are.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`error: moss needs Node 24 or newer, and this is ${process.version}\n  In a checkout, \`npx moss\` brings its own.\n`);
  process.exit(1);
}
// Compiled code is kept between runs, which halves the time to start.
module.enableCompileCache?.(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'moss', 'compiled'));
// MOSS_SOURCE=1 is for whoever changes the sources: what was built before is not looked at.
const built = !process.env.MOSS_SOURCE && existsSync(new URL('../dist/node/main.js', import.meta.url));
const load = (name) => import(built ? `../dist/node/${name}.js` : `../node/${name}.ts`);
const words = process.argv.slice(2);
if (words.length === 1 && words[0] === '--version') {
  const { version } = await load('version');
  process.stdout.write(`${version}\n`);
} else {
  const { main } = await load('main');
  process.exitCode = await main(words, process.env);
}
