/**
 * Never slower than the web server alone: `moss install` with peers that are dead, silent, slow or lying, beside the same
 * without peers; and the same packages by other means, over the same line. In network namespaces, on real sockets.
 */
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Network, noNetwork } from '../e2e/network.ts';
import { corpus } from './corpus.ts';
import { on, prepare, WAYS, type Line, type Way } from './others/ways.ts';
import { builtMoss, capture, freshDirectory, run, SkippedError } from './programs.ts';
import { median, type Figure } from './report.ts';
import type { Bench } from './run.ts';
import { publishedSite } from './site.ts';

/** Bits a second of the web server's line. */
const RATE = '100mbit';
const PACKAGES = ['git', 'python3', 'vim'];
/** What peers do to harm, by what it is called here. */
const HARM: Readonly<Record<string, readonly string[]>> = {
  dead: ['dead', 'dead', 'resets'],
  silent: ['the head of a block, and then nothing', 'the head of a block, and then nothing'],
  slow: ['a byte a second', 'a byte a second', 'busy for an hour'],
  lying: ['right sizes and wrong content', 'less than was asked for', 'zstd that is none', 'noise'],
};
const ENVIRONMENT = { ...process.env, XDG_CONFIG_HOME: '/nonexistent', MOSS_ROOT: undefined };

export const bench: Bench = async ({ cache, rounds, note }) => {
  const obstacle = noNetwork();
  if (obstacle !== undefined) throw new SkippedError(obstacle);
  const packages = await corpus(cache);
  const moss = await builtMoss(cache);
  const { site } = await publishedSite(cache, moss, packages, { fresh: false });
  const network = new Network('mirror');
  const home = join(cache, 'mirror');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const times: Record<string, number[]> = {};
  const missing = new Map<string, string>();
  const measured = (name: string, ms: number): void => {
    (times[name] ??= []).push(ms);
    note(`${name}: ${(ms / 1000).toFixed(2)} s`);
  };
  try {
    const debs = await closureOf(packages.files, moss, site, cache);
    const [origin, client] = [network.machine('origin'), network.machine('client')];
    const web = network.start(origin, [process.execPath, moss, 'serve', join(site, '..'), '--host', origin.address, '--port', '8787', '--no-peer'], ENVIRONMENT);
    const line: Line = { network, origin, client, home, debs, cache, env: ENVIRONMENT };
    await prepare(line);
    await once(web.stdout ?? web, 'data');
    network.shape(origin, { rate: RATE });
    const install = async (share: boolean): Promise<number> => {
      const root = freshDirectory(cache);
      await on(client, process.execPath, moss, 'repo', 'add', 'bench', `http://${origin.address}:8787`, '-D', root, '--yes', '--quiet');
      if (share) await on(client, process.execPath, moss, 'share', 'on', '--scope', 'lan', '-D', root, '--yes');
      return on(client, process.execPath, moss, 'install', '-D', root, '--yes', '--no-progress', ...PACKAGES);
    };
    await install(false);
    for (let round = 0; round < rounds; round++) {
      measured('alone', await install(false));
      measured('absent', await install(true));
      for (const [name, kinds] of Object.entries(HARM)) {
        const machine = network.machine(`${name}${round}`);
        const peers = network.start(machine, [process.execPath, join(import.meta.dirname, 'bad-peers.ts'), ...kinds], ENVIRONMENT);
        await once(peers.stdout ?? peers, 'data');
        measured(name, await install(true));
        peers.kill('SIGKILL');
        network.unplug(machine);
      }
      for (const { name, bring } of WAYS) {
        if (missing.has(name)) continue;
        try {
          measured(name, await bring(line));
        } catch (error) {
          if (!(error instanceof SkippedError)) throw error;
          missing.set(name, error.message);
          note(`${name}: ${error.message}`);
        }
      }
    }
  } finally {
    await network.remove();
    rmSync(home, { recursive: true, force: true });
  }
  const alone = median(times['alone'] ?? []);
  const harmed = ['absent', ...Object.keys(HARM)];
  const all = harmed.flatMap((name) => times[name] ?? []).toSorted((a, b) => a - b);
  const p95 = all[Math.min(all.length - 1, Math.floor(all.length * 0.95))] ?? Number.NaN;
  const ours = Math.min(alone, median(times['absent'] ?? []));
  return [
    { what: `moss install of ${PACKAGES.join(', ')} from a web server at ${RATE}, without peers`, value: alone / 1000, unit: 's' },
    ...harmed.map((name): Figure => ({ what: `with ${name} peers ÷ without`, value: median(times[name] ?? []) / alone, unit: 'ratio' })),
    { what: `p95 of all ${all.length} of these ÷ without`, value: p95 / alone, unit: 'ratio', goal: { most: 1.05 } },
    ...WAYS.flatMap((way) => besides(way, { ours, times: times[way.name] ?? [], missing: missing.get(way.name) })),
  ];
};

/** Another way's row, and how moss compares with it. */
function besides({ name, what, goal }: Way, { ours, times, missing }: { ours: number; times: readonly number[]; missing: string | undefined }): Figure[] {
  if (missing !== undefined) return [{ what, missing }];
  return [
    { what, value: median(times) / 1000, unit: 's' },
    { what: `moss ÷ ${name}`, value: ours / median(times), unit: 'ratio', goal: goal === undefined ? undefined : { most: goal } },
  ];
}

/** The `.deb` files of what moss would install for these names. */
async function closureOf(files: readonly string[], moss: string, site: string, cache: string): Promise<string[]> {
  const root = freshDirectory(cache);
  await run(process.execPath, [moss, 'repo', 'add', 'bench', site, '-D', root, '--yes', '--quiet']);
  const plan: unknown = JSON.parse(await capture(process.execPath, [moss, 'install', '-D', root, '--yes', '--dry-run', '--json', ...PACKAGES]));
  const text = JSON.stringify(plan);
  const names = new Set([...text.matchAll(/"name":"([^"]+)"/g)].map(([, name]) => name));
  return files.filter((file) => names.has(basename(file).split('_')[0]));
}
