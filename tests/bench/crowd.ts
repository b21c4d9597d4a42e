/**
 * A crowd that fetches the same package at once, on virtual time: what it draws from the web server, by its size. What is
 * beside it is the same without peers, worked out: each has its share of the web server's line. `BENCH_CROWD` names the sizes,
 * such as `8,64,512`.
 */
import { crowd, percentile } from '../core/exchange/crowd.ts';
import { someBlocks } from '../core/exchange/race.ts';
import type { Figure } from './report.ts';
import type { Bench } from './run.ts';

const SIZES = (process.env['BENCH_CROWD'] ?? '8,64,256').split(',').map(Number);
/** Bytes a second of the web server's line, and how many others each knows. */
const RATE = 3_000_000;
const NEIGHBOURS = 8;

export const bench: Bench = async ({ note }) => {
  const blocks = await someBlocks(32, 2, 400_000);
  const total = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const figures: Figure[] = [{ what: 'package', value: total / 1e6, unit: 'MB' }];
  for (const size of SIZES) {
    const { copies, times, duplicate } = await crowd({ size, blocks, originRate: RATE, neighbours: NEIGHBOURS });
    note(`${size}: ${copies.toFixed(2)} copies`);
    figures.push(
      { what: `${size.toLocaleString('en')} at once: copies from the web server`, value: copies, unit: 'ratio', goal: { most: 1.2 } },
      { what: 'the same: p50', value: percentile(times, 0.5) / 1000, unit: 's' },
      { what: 'the same: p99 ÷ p50', value: percentile(times, 0.99) / percentile(times, 0.5), unit: 'ratio', goal: { most: 1.5 } },
      { what: 'the same: p50 ÷ from the web server alone', value: (percentile(times, 0.5) * RATE) / (size * total * 1000), unit: 'fraction' },
      { what: 'the same: bytes that came twice', value: duplicate, unit: 'fraction', goal: { most: 0.03 } },
    );
  }
  return figures;
};
