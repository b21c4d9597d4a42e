/** First install from one web server, against curl and `dpkg-deb -x` of the same packages from the same server. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { corpus } from './corpus.ts';
import { builtMoss, capture, freshDirectory, run, startNginx } from './programs.ts';
import { median, type Figure } from './report.ts';
import type { Bench } from './run.ts';
import { publishedSite } from './site.ts';

export const bench: Bench = async ({ cache, rounds, note }) => {
  const packages = await corpus(cache);
  const moss = await builtMoss(cache);
  const { site } = await publishedSite(cache, moss, packages, { fresh: false });
  const served = join(cache, 'served');
  rmSync(served, { recursive: true, force: true });
  mkdirSync(served);
  symlinkSync(site, join(served, 'site'));
  symlinkSync(join(cache, 'debs'), join(served, 'debs'));
  const nginx = await startNginx(cache, served);
  let plain = '';
  const ours: number[] = [];
  const theirs: number[] = [];
  let peak = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      const root = freshDirectory(cache);
      plain = freshDirectory(cache);
      await run(process.execPath, [moss, 'repo', 'add', 'bench', `${nginx.url}/site`, '-D', root, '--yes', '--quiet']);
      await run('sync', []);
      const installed = await run(process.execPath, [moss, 'install', '-D', root, '--yes', '--no-progress', ...packages.names]);
      ours.push(installed.ms);
      peak = Math.max(peak, installed.peak);
      await run('sync', []);
      theirs.push(await curlAndUnpack(plain, `${nginx.url}/debs`, packages.files));
      note(`round ${round + 1}: moss ${seconds(ours.at(-1))}, curl + dpkg-deb ${seconds(theirs.at(-1))}`);
    }
    const files = Number(await capture('sh', ['-c', `find ${plain}/tree -type f | wc -l`]));
    const bytes = Number(await capture('sh', ['-c', `du -sb ${plain}/tree | cut -f1`]));
    const figures: Figure[] = [
      { what: 'packages', value: packages.files.length, unit: 'count', goal: { least: 60 } },
      { what: 'files', value: files, unit: 'count', goal: { least: 20_000 } },
      { what: 'unpacked', value: bytes / 1e6, unit: 'MB' },
      { what: 'moss install: fetched, verified, linked, synced', value: median(ours) / 1000, unit: 's' },
      { what: 'curl + dpkg-deb -x, not synced', value: median(theirs) / 1000, unit: 's' },
      { what: 'moss ÷ (curl + dpkg-deb -x)', value: median(ours) / median(theirs), unit: 'ratio', goal: { most: 0.4 } },
      { what: 'peak memory of moss', value: peak / 1e6, unit: 'MB', goal: { most: 300 } },
    ];
    return figures;
  } finally {
    await nginx.stop();
    rmSync(served, { recursive: true, force: true });
  }
};

/** All files by one curl over one connection, then each package unpacked, as the shell would do it. */
async function curlAndUnpack(directory: string, url: string, files: readonly string[]): Promise<number> {
  const downloads = join(directory, 'debs');
  const tree = join(directory, 'tree');
  for (const each of [downloads, tree]) mkdirSync(each, { recursive: true });
  const list = join(directory, 'curl.txt');
  writeFileSync(list, files.map((file) => `url = "${url}/${encodeURIComponent(basename(file))}"\noutput = "${downloads}/${basename(file)}"\n`).join(''));
  const { ms } = await run('sh', ['-c', `curl -sS --fail -K ${list} && for deb in ${downloads}/*.deb; do dpkg-deb -x "$deb" ${tree} || exit 1; done`]);
  return ms;
}

function seconds(ms = Number.NaN): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
