/** Publishing: how fast, and how large the site becomes beside the packages. */
import { run, builtMoss } from './programs.ts';
import { join } from 'node:path';
import { corpus } from './corpus.ts';
import type { Bench } from './run.ts';
import { publishedSite } from './site.ts';

export const bench: Bench = async ({ cache }) => {
  const packages = await corpus(cache);
  const moss = await builtMoss(cache);
  const { figures } = await publishedSite(cache, moss, packages, { fresh: true });
  const again = await run(process.execPath, [moss, 'publish', join(cache, 'repository'), ...packages.files]);
  return [
    { what: 'packages', value: figures.packages, unit: 'count', goal: { least: 60 } },
    { what: '.deb files', value: figures.inputBytes / 1e6, unit: 'MB' },
    { what: 'time', value: figures.milliseconds / 1000, unit: 's' },
    { what: '.deb input', value: figures.inputBytes / 1000 / figures.milliseconds, unit: 'MB/s' },
    { what: 'the same again: nothing new', value: again.ms / 1000, unit: 's' },
    { what: 'frames ÷ .deb', value: figures.frameBytes / figures.inputBytes, unit: 'ratio', goal: { most: 1 } },
    { what: 'manifests ÷ .deb', value: figures.manifestBytes / figures.inputBytes, unit: 'fraction', goal: { most: 0.01 } },
  ];
};
