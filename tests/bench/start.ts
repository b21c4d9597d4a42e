/** How long it takes to start, against `node -e 0`. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { corpus } from './corpus.ts';
import { builtMoss, run } from './programs.ts';
import { median } from './report.ts';
import type { Bench } from './run.ts';
import { publishedSite } from './site.ts';

/** Short runs differ much: more of them for each round that is asked for. */
const TIMES = 10;

export const bench: Bench = async ({ cache, rounds }) => {
  const packages = await corpus(cache);
  const moss = await builtMoss(cache);
  const { site } = await publishedSite(cache, moss, packages, { fresh: false });
  const root = join(cache, 'root');
  rmSync(root, { recursive: true, force: true });
  await run(process.execPath, [moss, 'repo', 'add', 'bench', site, '-D', root, '--yes', '--quiet']);
  await run(process.execPath, [moss, 'install', '-D', root, '--yes', '--no-progress', 'git', 'python3', 'jq', 'ripgrep']);
  const commands: Record<string, string[]> = { node: ['-e', '0'], version: [moss, '--version'], list: [moss, 'list', '-D', root] };
  const times: Record<string, number[]> = {};
  for (let round = -1; round < rounds * TIMES; round++) {
    for (const [name, args] of Object.entries(commands)) {
      const { ms } = await run(process.execPath, args);
      if (round >= 0) (times[name] ??= []).push(ms);
    }
  }
  rmSync(root, { recursive: true, force: true });
  const ms = (name: string): number => median(times[name] ?? []);
  return [
    { what: 'node -e 0', value: ms('node'), unit: 'ms' },
    { what: 'moss --version', value: ms('version'), unit: 'ms' },
    { what: 'moss list', value: ms('list'), unit: 'ms' },
    { what: 'moss --version ÷ node -e 0', value: ms('version') / ms('node'), unit: 'ratio', goal: { most: 2 } },
    { what: 'moss list ÷ node -e 0', value: ms('list') / ms('node'), unit: 'ratio', goal: { most: 3 } },
  ];
};
