/** Holding every installed file against its hash: `moss verify`, beside the system's own SHA-256 over both cores. */
import { readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { corpus } from './corpus.ts';
import { builtMoss, has, run, SkippedError } from './programs.ts';
import { median } from './report.ts';
import type { Bench } from './run.ts';
import { publishedSite } from './site.ts';

export const bench: Bench = async ({ cache, rounds, note }) => {
  for (const tool of ['sha256sum', 'xargs', 'find']) if (!has(tool)) throw new SkippedError(`${tool} is not on this machine`);
  const packages = await corpus(cache);
  const moss = await builtMoss(cache);
  const { site } = await publishedSite(cache, moss, packages, { fresh: false });
  const root = join(cache, 'verify-root');
  rmSync(root, { recursive: true, force: true });
  try {
    await run(process.execPath, [moss, 'repo', 'add', 'bench', site, '-D', root, '--yes', '--quiet']);
    note('installing');
    await run(process.execPath, [moss, 'install', '-D', root, '--yes', '--no-progress', ...packages.names]);
    const store = join(root, '.moss/store');
    const files = readdirSync(store).reduce((sum, shard) => sum + readdirSync(join(store, shard)).length, 0);
    const times: Record<'full' | 'quick' | 'rival', number[]> = { full: [], quick: [], rival: [] };
    let bytes = 0;
    let peak = 0;
    for (let round = 0; round < rounds; round++) {
      const full = await run(process.execPath, [moss, 'verify', '-D', root, '--json'], { output: true });
      const document: unknown = JSON.parse(full.stdout);
      bytes = typeof document === 'object' && document !== null ? Number(Reflect.get(document, 'bytes')) : 0;
      peak = Math.max(peak, full.peak);
      times.full.push(full.ms);
      times.quick.push((await run(process.execPath, [moss, 'verify', '-D', root, '--quick', '--json'], { output: true })).ms);
      const all = `find ${store} -type f -print0 | xargs -0 -n 512 -P ${availableParallelism()} sha256sum > /dev/null`;
      times.rival.push((await run('sh', ['-c', all])).ms);
    }
    const rate = (ms: readonly number[]): number => bytes / 1e6 / (median(ms) / 1000);
    return [
      { what: 'files', value: files, unit: 'count' },
      { what: 'content', value: bytes / 1e6, unit: 'MB' },
      { what: 'moss verify', value: median(times.full) / 1000, unit: 's' },
      { what: 'moss verify: content', value: rate(times.full), unit: 'MB/s', goal: { least: 1000 } },
      { what: 'sha256sum of the store, on all cores', value: median(times.rival) / 1000, unit: 's' },
      { what: 'moss verify ÷ sha256sum', value: median(times.full) / median(times.rival), unit: 'ratio' },
      { what: 'moss verify --quick', value: median(times.quick) / 1000, unit: 's' },
      { what: 'moss verify: peak memory', value: peak / 1e6, unit: 'MB' },
    ];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
};
