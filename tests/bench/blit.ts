/** Linking the tree of a state, against `cp -al` of the same tree. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildStateTree, chooseLinkMethod } from '../../node/link/state-tree.ts';
import { treeOfState } from '../../node/system/configure.ts';
import { System } from '../../node/system/system.ts';
import { corpus } from './corpus.ts';
import { builtMoss, freshDirectory, run } from './programs.ts';
import { median, type Figure } from './report.ts';
import type { Bench } from './run.ts';
import { publishedSite } from './site.ts';

export const bench: Bench = async ({ cache, rounds, note }) => {
  const packages = await corpus(cache);
  const moss = await builtMoss(cache);
  const { site } = await publishedSite(cache, moss, packages, { fresh: false });
  const root = freshDirectory(cache);
  await run(process.execPath, [moss, 'repo', 'add', 'bench', site, '-D', root, '--yes', '--quiet']);
  await run(process.execPath, [moss, 'install', '-D', root, '--yes', '--no-progress', ...packages.names]);
  const system = await System.openToWrite({ root, onEvent: () => undefined });
  try {
    const { layout, pool } = system;
    const state = system.active?.number ?? 0;
    const { system: entries } = await treeOfState(system, state);
    const method = chooseLinkMethod(layout);
    const rates: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
    // The first round warms the threads and the caches of the kernel.
    for (let round = 0; round <= rounds * 3; round++) {
      const [ours, theirs] = [join(layout.states, `bench-moss-${round}`), join(layout.states, `bench-cp-${round}`)];
      const start = performance.now();
      await buildStateTree(ours, entries, { layout, pool, method });
      const ms = performance.now() - start;
      const copied = await run('cp', ['-al', layout.state(state), theirs]);
      const count = readdirSync(ours, { recursive: true }).length;
      if (round > 0) {
        rates.ours.push((count / ms) * 1000);
        rates.theirs.push((count / copied.ms) * 1000);
        note(`round ${round}: moss ${Math.round(rates.ours.at(-1) ?? 0)}/s, cp -al ${Math.round(rates.theirs.at(-1) ?? 0)}/s`);
      }
      await run('sync', []);
    }
    const figures: Figure[] = [
      { what: 'entries', value: entries.length, unit: 'count', goal: { least: 20_000 } },
      { what: `moss (${method})`, value: median(rates.ours), unit: '/s' },
      { what: 'cp -al', value: median(rates.theirs), unit: '/s' },
      { what: 'moss ÷ cp -al', value: median(rates.ours) / median(rates.theirs), unit: 'ratio', goal: { least: 1.5 } },
    ];
    return figures;
  } finally {
    await system.close();
  }
};
