/**
 * The same packages over the same line, by moss and by other means, each until the trees are there and synced: many of them on a
 * line that nothing limits but this machine, and few on one that is the limit. In network namespaces, on real sockets.
 */
import { prepare, WAYS, type Way } from './others/ways.ts';
import { SkippedError } from './programs.ts';
import { median, type Figure } from './report.ts';
import type { Bench } from './run.ts';
import { PACKAGES, withServedLine, type ServedLine } from './served-line.ts';

interface Case {
  what: string;
  /** Bits a second of the web server's line; without it, there is no limit but this machine. */
  rate?: string;
  /** What is installed; without it, the whole corpus. */
  names?: readonly string[];
}

const CASES: readonly Case[] = [
  { what: 'all packages of the corpus, by a line without a limit' },
  { what: `${PACKAGES.join(', ')}, by a line of 100 Mbit/s`, rate: '100mbit', names: PACKAGES },
];

export const bench: Bench = async ({ cache, rounds, note }) => {
  const figures: Figure[] = [];
  for (const { what, rate, names } of CASES) {
    const some = await withServedLine(cache, { name: 'rivals', names }, async (line) => {
      await prepare(line);
      if (rate !== undefined) line.network.shape(line.origin, { rate });
      return compare(line, { name: what, rounds, note });
    });
    figures.push(...some);
  }
  return figures;
};

async function compare(line: ServedLine, { name, rounds, note }: { name: string; rounds: number; note: (text: string) => void }): Promise<Figure[]> {
  const times: Record<string, number[]> = {};
  const missing = new Map<string, string>();
  const measured = (who: string, ms: number): void => {
    (times[who] ??= []).push(ms);
    note(`${name}, ${who}: ${(ms / 1000).toFixed(2)} s`);
  };
  await line.install(line.client, { share: false });
  for (let round = 0; round < rounds; round++) {
    measured('moss', await line.install(line.client, { share: true }));
    for (const way of WAYS) {
      if (missing.has(way.name)) continue;
      try {
        measured(way.name, await way.bring(line));
      } catch (error) {
        if (!(error instanceof SkippedError)) throw error;
        missing.set(way.name, error.message);
        note(`${way.name}: ${error.message}`);
      }
    }
  }
  const ours = median(times['moss'] ?? []);
  return [
    { what: `moss install of ${name}`, value: ours / 1000, unit: 's' },
    ...WAYS.flatMap((way) => besides(way, { ours, times: times[way.name] ?? [], missing: missing.get(way.name) })),
  ];
}

/** Another way's row, and how moss compares with it. */
function besides({ name, what, goal }: Way, { ours, times, missing }: { ours: number; times: readonly number[]; missing: string | undefined }): Figure[] {
  if (missing !== undefined) return [{ what, missing }];
  return [
    { what, value: median(times) / 1000, unit: 's' },
    { what: `moss ÷ ${name}`, value: ours / median(times), unit: 'ratio', goal: goal === undefined ? undefined : { most: goal } },
  ];
}
