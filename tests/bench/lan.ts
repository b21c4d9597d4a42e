/**
 * What one peer of the local network brings, beside node's own HTTP with the same files; what a second one adds, where
 * each is at the end of a line of its own; and what a daemon takes while nobody asks it.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { corpus } from './corpus.ts';
import { builtMoss, run } from './programs.ts';
import { median, type Figure } from './report.ts';
import type { Bench } from './run.ts';
import { publishedSite } from './site.ts';
import { httpSide, peerSide, storedFiles, type Side, type StoredFile } from './transfers.ts';
import { twoPeers } from './two-peers.ts';

const LARGE = 256 * 1024;
/** Bytes of large files, and how many small ones, in a round. */
const LARGE_BYTES = 800e6;
const SMALL_COUNT = 6000;
/** Requests under way. */
const LANES = { http: 8, peer: 16, small: 512 };
const FIRST_BYTES = 20;
/** Milliseconds in which a daemon is left alone. */
const IDLE = 20_000;

export const bench: Bench = async ({ cache, rounds, note }) => {
  const packages = await corpus(cache);
  const moss = await builtMoss(cache);
  const { site } = await publishedSite(cache, moss, packages, { fresh: false });
  const root = join(cache, 'lan-root');
  rmSync(root, { recursive: true, force: true });
  note('installing');
  await run(process.execPath, [moss, 'repo', 'add', 'bench', site, '-D', root, '--yes', '--quiet']);
  await run(process.execPath, [moss, 'install', '-D', root, '--yes', '--no-progress', ...packages.names]);
  await run(process.execPath, [moss, 'share', 'on', '--scope', 'lan', '-D', root, '--yes']);
  const files = storedFiles(root);
  const large = upTo(files.filter(({ size }) => size >= LARGE), LARGE_BYTES);
  const small = files.filter(({ size }) => size >= 2048 && size <= 6144).slice(0, SMALL_COUNT);
  const peer = await peerSide(moss, root);
  const http = await httpSide(root);
  const rates = { http: [] as number[], peer: [] as number[], few: [] as number[], many: [] as number[] };
  const first = { connecting: [] as number[], connected: [] as number[] };
  const figures: Figure[] = [];
  try {
    note('a daemon that nobody asks');
    await delay(5000);
    const before = peer.usage();
    await delay(IDLE);
    const after = peer.usage();
    for (let round = -1; round < rounds; round++) {
      const measured = {
        http: total(large) / (await timed(http, large, LANES.http)),
        peer: total(large) / (await timed(peer, large, LANES.peer)),
        few: small.length / (await timed(http, small, LANES.http)),
        many: small.length / (await timed(peer, small, LANES.small)),
      };
      note(`${round < 0 ? 'warming up' : `round ${round + 1}`}: HTTP ${(measured.http / 1e6).toFixed(0)} MB/s, peer ${(measured.peer / 1e6).toFixed(0)} MB/s`);
      if (round < 0) continue;
      for (const name of ['http', 'peer', 'few', 'many'] as const) rates[name].push(measured[name]);
    }
    for (const file of small.slice(0, FIRST_BYTES)) {
      const { connecting, connected } = await peer.firstByte(file);
      first.connecting.push(connecting);
      first.connected.push(connected);
    }
    const ratios = rates.peer.map((rate, i) => rate / (rates.http[i] ?? Number.NaN));
    figures.push(
      { what: `large files: ${large.length}, together`, value: total(large) / 1e6, unit: 'MB' },
      { what: 'node HTTP', value: median(rates.http) / 1e6, unit: 'MB/s' },
      { what: 'one peer, by the bulk carrier (TLS)', value: median(rates.peer) / 1e6, unit: 'MB/s' },
      { what: 'one peer ÷ node HTTP', value: median(ratios), unit: 'ratio', goal: { least: 0.8 } },
      { what: `small files: ${small.length}, on average`, value: total(small) / small.length / 1000, unit: 'KB' },
      { what: 'small files, node HTTP, a request each', value: median(rates.few), unit: '/s' },
      { what: 'small files, one peer', value: median(rates.many), unit: '/s', goal: { least: 5000 } },
      { what: 'first byte after the want', value: median(first.connected), unit: 'ms', goal: { most: 20 } },
      { what: 'the same with ticket, connection and hello', value: median(first.connecting), unit: 'ms' },
      { what: 'idle daemon, resident', value: before.resident / 1e6, unit: 'MB', goal: { most: 120 } },
      { what: `idle daemon, processor time in ${IDLE / 1000} s`, value: after.cpu - before.cpu, unit: 'ms', goal: { most: 100 } },
      { what: 'daemon after all this, resident', value: peer.usage().resident / 1e6, unit: 'MB' },
    );
  } finally {
    await peer.stop();
    await http.stop();
    rmSync(root, { recursive: true, force: true });
  }
  return [...figures, ...(await twoPeers({ cache, site, moss, rounds, note }))];
};

function upTo(files: readonly StoredFile[], most: number): StoredFile[] {
  let sum = 0;
  return files.filter(({ size }) => (sum += size) <= most);
}

function total(files: readonly StoredFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** Seconds, once what was written before is on the disk. */
async function timed(side: Side, files: readonly StoredFile[], lanes: number): Promise<number> {
  spawnSync('sync');
  const start = performance.now();
  await side.fetch(files, lanes);
  return (performance.now() - start) / 1000;
}
