/** `npm run bench -- NAME...`: measures moss beside other programs, in one run. Without a name: all. */
import { mkdirSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { removeFreshDirectories, REPOSITORY, SkippedError } from './programs.ts';
import { table, type Figure } from './report.ts';

export interface BenchOptions {
  /** Kept between runs. */
  cache: string;
  /** How often each side is measured. */
  rounds: number;
  note: (text: string) => void;
}

export type Bench = (options: BenchOptions) => Promise<Figure[]>;

const BENCHES: Readonly<Record<string, () => Promise<{ bench: Bench }>>> = {
  install: () => import('./install.ts'),
  blit: () => import('./blit.ts'),
  publish: () => import('./publish.ts'),
  start: () => import('./start.ts'),
  index: () => import('./index.ts'),
  lan: () => import('./lan.ts'),
  mirror: () => import('./mirror.ts'),
  crowd: () => import('./crowd.ts'),
  rivals: () => import('./rivals.ts'),
  verify: () => import('./verify.ts'),
  update: () => import('./update.ts'),
  dictionary: () => import('./dictionary.ts'),
  // Compiled with the libraries of a browser, unlike this: so the compiler must not follow.
  browser: () => import(join(REPOSITORY, 'tests/web/bench.ts')),
};

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(names: readonly string[]): Promise<number> {
  const cache = join(REPOSITORY, '.bench');
  mkdirSync(cache, { recursive: true });
  const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
  for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
    const load = BENCHES[name];
    if (load === undefined) {
      note(`There is no benchmark ${name}: there are ${Object.keys(BENCHES).join(', ')}.`);
      return 2;
    }
    process.stdout.write(`\n## ${name}\n\n`);
    try {
      const { bench } = await load();
      process.stdout.write(`${table(await bench({ cache, rounds, note }))}\n`);
    } catch (error) {
      if (!(error instanceof SkippedError)) throw error;
      process.stdout.write(`Skipped: ${error.message}.\n`);
    }
  }
  const [load = 0] = loadavg();
  process.stdout.write(`\n${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.version}, load ${load.toFixed(1)}, ${rounds} rounds each, medians.\n`);
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} finally {
  removeFreshDirectories();
}
