/** Updates: bytes and time, for security updates, those of a whole desktop, and the jump to the next release, beside other ways to update. */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { debianPairs, KINDS, sizeOf, withoutRelations, type Kind, type Pair } from './pairs.ts';
import { builtMoss, freshDirectory, run, startNginx, type Nginx } from './programs.ts';
import { median, type Figure } from './report.ts';
import type { Bench } from './run.ts';
import { rivals } from './update-rivals.ts';

/** Pairs of each kind; fewer for a quick look. A desktop has about a hundred. */
const PAIRS = { security: 64, desktop: 1000, release: 64 } as const;

export const bench: Bench = async ({ cache, rounds, note }) => {
  const moss = await builtMoss(cache);
  const figures: Figure[] = [];
  const wanted = process.env['BENCH_UPDATES'] ?? KINDS.join(' ');
  for (const kind of KINDS.filter((each) => wanted.includes(each))) {
    const { title, pairs } = await debianPairs(cache, kind, Number(process.env['BENCH_PAIRS'] ?? PAIRS[kind]));
    note(`${title}: ${pairs.length} pairs`);
    const work = freshDirectory(cache);
    const update = new Update(moss, work, cache, pairs, note);
    try {
      figures.push(...(await update.measure(title, rounds, kind)));
    } finally {
      await update.close();
    }
  }
  return figures;
};

class Update {
  readonly #moss: string;
  readonly #work: string;
  readonly #cache: string;
  readonly #pairs: readonly Pair[];
  readonly #note: (text: string) => void;
  #nginx: Nginx | undefined;

  constructor(moss: string, work: string, cache: string, pairs: readonly Pair[], note: (text: string) => void) {
    this.#moss = moss;
    this.#work = work;
    this.#cache = cache;
    this.#pairs = pairs;
    this.#note = note;
  }

  async close(): Promise<void> {
    await this.#nginx?.stop();
  }

  async measure(title: string, rounds: number, kind: Kind): Promise<Figure[]> {
    const served = join(this.#work, 'served');
    const log = join(this.#work, 'access.log');
    for (const directory of [served, join(served, 'debs')]) mkdirSync(directory);
    const { debs, published } = await this.#publish(served);
    for (const { next } of this.#pairs) symlinkSync(next, join(served, 'debs', basename(next)));
    this.#nginx = await startNginx(this.#work, served, log);
    const deb = sizeOf(this.#pairs.map(({ next }) => next));
    const template = await this.#install(join(served, 'old'), this.#nginx.url);
    rmSync(join(served, 'site'));
    symlinkSync(join(this.#work, 'repository/site'), join(served, 'site'));

    const [ours, theirs, together]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < rounds; round++) {
      const root = await this.#copy(template);
      truncateSync(log);
      ours.push((await this.#run(root, 'sync', '--yes', '--no-progress')).ms);
      together.push(bytesServed(log));
      theirs.push(await this.#curl());
      this.#note(`round ${round + 1}: moss ${Math.round(ours.at(-1) ?? 0)} ms, ${together.at(-1)} bytes; curl + dpkg-deb ${Math.round(theirs.at(-1) ?? 0)} ms`);
    }
    const ratios = await this.#each(template, log);
    const least = kind === 'release' ? { sum: 0.6, each: undefined } : { sum: 0.15, each: 0.1 };
    const name = (what: string): string => `${title}: ${what}`;
    return [
      { what: name('packages'), value: this.#pairs.length, unit: 'count', goal: { least: 60 } },
      { what: name('new .deb files'), value: deb / 1e6, unit: 'MB' },
      { what: name('moss fetched, of everything'), value: median(together) / 1e6, unit: 'MB' },
      { what: name('moss ÷ .deb, together'), value: median(together) / deb, unit: 'ratio', goal: { most: least.sum } },
      { what: name('moss ÷ .deb, median package'), value: median(ratios), unit: 'ratio', goal: least.each === undefined ? undefined : { most: least.each } },
      { what: name('full frames of the new versions ÷ .deb'), value: published.frameBytes / deb, unit: 'ratio' },
      { what: name('deltas in the repository ÷ .deb'), value: published.deltaBytes / deb, unit: 'ratio' },
      { what: name('publishing the new versions'), value: published.milliseconds / 1000, unit: 's' },
      { what: name('moss sync'), value: median(ours) / 1000, unit: 's' },
      { what: name('curl + dpkg-deb -x'), value: median(theirs) / 1000, unit: 's' },
      { what: name('moss ÷ (curl + dpkg-deb -x)'), value: median(ours) / median(theirs), unit: 'ratio', goal: kind === 'release' ? undefined : { most: 0.2 } },
      ...(await rivals({ work: this.#work, served, url: this.#nginx.url, log, pairs: debs, deb, anchor: median(theirs), title, note: this.#note })),
    ];
  }

  /** The old versions, then the new ones; a copy of the site in between stays as `old`. */
  async #publish(served: string): Promise<{ debs: Pair[]; published: { deltaBytes: number; frameBytes: number; milliseconds: number } }> {
    const alone = join(this.#cache, 'pairs', 'alone');
    const debs: Pair[] = [];
    for (const { name, old, next } of this.#pairs) debs.push({ name, old: await withoutRelations(old, alone), next: await withoutRelations(next, alone) });
    const repository = join(this.#work, 'repository');
    await run(process.execPath, [this.#moss, 'repo', 'init', repository, '--name', 'bench']);
    this.#note('publishing the old versions');
    await run(process.execPath, [this.#moss, 'publish', repository, ...debs.map(({ old }) => old)]);
    cpSync(join(repository, 'site'), join(served, 'old'), { recursive: true });
    this.#note('publishing the new versions');
    const { stdout } = await run(process.execPath, [this.#moss, 'publish', '--json', repository, ...debs.map(({ next }) => next)], { output: true });
    return { debs, published: JSON.parse(stdout) as { deltaBytes: number; frameBytes: number; milliseconds: number } };
  }

  /** A root with the old versions, from an address where the new ones will be. */
  async #install(old: string, url: string): Promise<string> {
    const site = join(this.#work, 'served', 'site');
    symlinkSync(old, site);
    const root = join(this.#work, 'template');
    await this.#run(root, 'repo', 'add', 'bench', `${url}/site`, '--yes', '--quiet');
    await this.#run(root, 'install', '--yes', '--no-progress', ...this.#pairs.map(({ name }) => name));
    return root;
  }

  /** Where nobody has deleted anything a moment ago: that makes new files slow, for both sides. */
  async #copy(template: string): Promise<string> {
    const root = join(freshDirectory(this.#cache), 'root');
    await run('cp', ['-a', template, root]);
    await run('sync', []);
    return root;
  }

  #run(root: string, ...args: string[]): ReturnType<typeof run> {
    return run(process.execPath, [this.#moss, ...args, '-D', root]);
  }

  /** What each package costs by itself: its own bytes, and its share of what all need (metadata, root, index). */
  async #each(template: string, log: string): Promise<number[]> {
    const root = await this.#copy(template);
    truncateSync(log);
    await this.#run(root, 'repo', 'update');
    const shared = bytesServed(log) / this.#pairs.length;
    const ratios: number[] = [];
    for (const { name, next } of this.#pairs) {
      truncateSync(log);
      // What is shown before anybody is asked has fetched the delta with the manifest; the plan says the rest.
      const { stdout } = await run(process.execPath, [this.#moss, 'sync', name, '--no-update', '--dry-run', '--json', '-D', root], { output: true });
      const { download } = JSON.parse(stdout) as { download: number };
      const ratio = (bytesServed(log) + download + shared) / sizeOf([next]);
      ratios.push(ratio);
      this.#note(`  ${name} ${ratio.toFixed(3)}`);
    }
    return ratios;
  }

  /** All new files by one curl over one connection, then each package unpacked. */
  async #curl(): Promise<number> {
    const directory = freshDirectory(this.#cache);
    for (const each of ['debs', 'tree']) mkdirSync(join(directory, each), { recursive: true });
    const list = join(directory, 'curl.txt');
    const names = this.#pairs.map(({ next }) => basename(next));
    writeFileSync(list, names.map((name) => `url = "${this.#nginx?.url}/debs/${encodeURIComponent(name)}"\noutput = "${directory}/debs/${name}"\n`).join(''));
    const { ms } = await run('sh', ['-c', `curl -sS --fail -K ${list} && for deb in ${directory}/debs/*.deb; do dpkg-deb -x "$deb" ${directory}/tree || exit 1; done`]);
    return ms;
  }
}

/** Bytes of all answers since the log was emptied, with their heads. */
export function bytesServed(log: string): number {
  return readFileSync(log, 'utf8').split('\n').reduce((sum, line) => sum + Number(line), 0);
}
