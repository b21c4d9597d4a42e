/**
 * Holding every installed file against its hash: `moss verify`, beside other programs' SHA-256 over all cores. On the
 * files of real packages, most of them small, and on a few large ones: so what opening files costs shows apart from hashing.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { corpus } from './corpus.ts';
import { builtMoss, freshDirectory, has, run, SkippedError } from './programs.ts';
import { median, type Figure } from './report.ts';
import type { Bench } from './run.ts';
import { publishedSite } from './site.ts';

/** The large files: their number, and the bytes of each. */
const LARGE = { files: 8, bytes: 64 * 1024 * 1024 };

const RIVALS = { sha256sum: ['sha256sum'], 'openssl dgst': ['openssl', 'dgst', '-sha256'] };

export const bench: Bench = async ({ cache, rounds, note }) => {
  for (const tool of ['sha256sum', 'openssl', 'xargs', 'find']) if (!has(tool)) throw new SkippedError(`${tool} is not on this machine`);
  const packages = await corpus(cache);
  const moss = await builtMoss(cache);
  const small = await publishedSite(cache, moss, packages, { fresh: false });
  const large = await publishLarge(moss, freshDirectory(cache));
  const figures: Figure[] = [];
  for (const [title, site, names] of [['packages', small.site, packages.names], ['large files', large, ['large']]] as const) {
    note(`${title}: installing`);
    const root = freshDirectory(cache);
    await run(process.execPath, [moss, 'repo', 'add', 'bench', site, '-D', root, '--yes', '--quiet']);
    await run(process.execPath, [moss, 'install', '-D', root, '--yes', '--no-progress', ...names]);
    await run('sync', []);
    figures.push(...(await measure(title, moss, root, rounds)));
  }
  return figures;
};

/** A repository with one package of a few large files; gives the address of its site. */
async function publishLarge(moss: string, directory: string): Promise<string> {
  const source = join(directory, 'large');
  mkdirSync(source);
  writeFileSync(join(source, 'moss.toml'), '[package]\nname = "large"\nversion = "1"\nsummary = "large files"\nprefix = "usr/share/large"\n');
  // Every MiB is another one; but all are alike enough to be packed in a moment.
  const block = Buffer.concat(Array.from({ length: 32 * 1024 }, (_, i) => createHash('sha256').update(String(i)).digest()));
  for (let file = 0; file < LARGE.files; file++) {
    for (let at = 0; at < LARGE.bytes; at += block.length) {
      block.writeUInt32LE(file, 0);
      block.writeUInt32LE(at, 4);
      appendFileSync(join(source, `file-${file}`), block);
    }
  }
  const repository = join(directory, 'repository');
  await run(process.execPath, [moss, 'repo', 'init', repository, '--name', 'bench']);
  await run(process.execPath, [moss, 'publish', repository, source]);
  return join(repository, 'site');
}

async function measure(title: string, moss: string, root: string, rounds: number): Promise<Figure[]> {
  const store = join(root, '.moss/store');
  const files = readdirSync(store).reduce((sum, shard) => sum + readdirSync(join(store, shard)).length, 0);
  const [full, quick]: [number[], number[]] = [[], []];
  const rivals = new Map<string, number[]>(Object.keys(RIVALS).map((name) => [name, []]));
  let bytes = 0;
  let peak = 0;
  for (let round = 0; round < rounds; round++) {
    const verified = await run(process.execPath, [moss, 'verify', '-D', root, '--json'], { output: true });
    const document: unknown = JSON.parse(verified.stdout);
    bytes = typeof document === 'object' && document !== null ? Number(Reflect.get(document, 'bytes')) : 0;
    peak = Math.max(peak, verified.peak);
    full.push(verified.ms);
    quick.push((await run(process.execPath, [moss, 'verify', '-D', root, '--quick', '--json'], { output: true })).ms);
    const each = files < 512 ? 1 : 512;
    for (const [name, command] of Object.entries(RIVALS)) {
      rivals.get(name)?.push((await run('sh', ['-c', `find ${store} -type f -print0 | xargs -0 -n ${each} -P ${availableParallelism()} ${command.join(' ')} > /dev/null`])).ms);
    }
  }
  const rate = (ms: readonly number[]): number => bytes / 1e6 / (median(ms) / 1000);
  const what = (text: string): string => `${title}: ${text}`;
  return [
    { what: what('files'), value: files, unit: 'count' },
    { what: what('content'), value: bytes / 1e6, unit: 'MB' },
    { what: what('moss verify'), value: median(full) / 1000, unit: 's' },
    { what: what('moss verify, content a second'), value: rate(full), unit: 'MB/s', goal: { least: 1000 } },
    // What is left of the time is reading tables and looking at names, which `--quick` does too.
    { what: what('moss verify --quick'), value: median(quick) / 1000, unit: 's' },
    ...[...rivals].flatMap(([name, times]): Figure[] => [
      { what: what(`${name}, on all cores, content a second`), value: rate(times), unit: 'MB/s' },
      { what: what(`moss verify ÷ ${name}`), value: median(full) / median(times), unit: 'ratio' },
    ]),
    { what: what('moss verify, peak memory'), value: peak / 1e6, unit: 'MB' },
  ];
}
