/**
 * Never slower than the web server alone: `moss install` with peers that are dead, silent, slow or lying, beside the same
 * without peers; and the same packages by other means, over the same line. In network namespaces, on real sockets.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Network, noNetwork, type Machine } from '../e2e/network.ts';
import { corpus } from './corpus.ts';
import { builtMoss, capture, freshDirectory, has, run, SkippedError } from './programs.ts';
import { median, type Figure } from './report.ts';
import type { Bench } from './run.ts';
import { publishedSite } from './site.ts';
import { torrentOf } from './torrent.ts';

/** Bits a second of the web server's line. */
const LINE = '100mbit';
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
  const missing = noNetwork();
  if (missing !== undefined) throw new SkippedError(missing);
  const packages = await corpus(cache);
  const moss = await builtMoss(cache);
  const { site } = await publishedSite(cache, moss, packages, { fresh: false });
  const network = new Network('mirror');
  const home = join(cache, 'mirror');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const times: Record<string, number[]> = {};
  const measured = (name: string, ms: number): void => {
    (times[name] ??= []).push(ms);
    note(`${name}: ${(ms / 1000).toFixed(2)} s`);
  };
  try {
    const debs = await closureOf(packages.files, moss, site, cache);
    prepare(home, debs);
    const [origin, client] = [network.machine('origin'), network.machine('client')];
    const web = network.start(origin, [process.execPath, moss, 'serve', join(site, '..'), '--host', origin.address, '--port', '8787', '--no-peer'], ENVIRONMENT);
    const plain = network.start(origin, [process.execPath, join(import.meta.dirname, 'http-files.ts'), home, origin.address, '8788'], ENVIRONMENT);
    await Promise.all([web, plain].map((server) => once(server.stdout ?? server, 'data')));
    network.shape(origin, { rate: LINE });
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
      const url = `http://${origin.address}:8788`;
      measured('tar.zst', await tarOverHttp(client, url, freshDirectory(cache)));
      measured('curl', await debsByCurl(client, url, freshDirectory(cache), debs));
      if (has('aria2c')) measured('aria2c', await debsByTorrent({ network, origin, client, home, target: freshDirectory(cache), debs }));
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
  const figures: Figure[] = [
    { what: `moss install of ${PACKAGES.join(', ')} from a web server at ${LINE}, without peers`, value: alone / 1000, unit: 's' },
    ...harmed.map((name): Figure => ({ what: `with ${name} peers ÷ without`, value: median(times[name] ?? []) / alone, unit: 'ratio' })),
    { what: `p95 of all ${all.length} of these ÷ without`, value: p95 / alone, unit: 'ratio', goal: { most: 1.05 } },
    { what: 'tar.zst of the tree by curl, checked by sha256sum, unpacked', value: median(times['tar.zst'] ?? []) / 1000, unit: 's' },
    { what: 'moss ÷ tar.zst', value: ours / median(times['tar.zst'] ?? []), unit: 'ratio', goal: { most: 1.2 } },
    { what: 'curl of the .deb files, dpkg-deb -x', value: median(times['curl'] ?? []) / 1000, unit: 's' },
    { what: 'moss ÷ (curl + dpkg-deb -x)', value: ours / median(times['curl'] ?? []), unit: 'ratio' },
  ];
  if (times['aria2c'] === undefined) note('aria2c is not on this machine: apt-get install aria2');
  else {
    figures.push(
      { what: 'BitTorrent by aria2c, one seed at the same line, dpkg-deb -x', value: median(times['aria2c']) / 1000, unit: 's' },
      { what: 'moss ÷ aria2c', value: ours / median(times['aria2c']), unit: 'ratio', goal: { most: 0.5 } },
    );
  }
  return figures;
};

/** The `.deb` files of what moss would install for these names. */
async function closureOf(files: readonly string[], moss: string, site: string, cache: string): Promise<string[]> {
  const root = freshDirectory(cache);
  await run(process.execPath, [moss, 'repo', 'add', 'bench', site, '-D', root, '--yes', '--quiet']);
  const plan: unknown = JSON.parse(await capture(process.execPath, [moss, 'install', '-D', root, '--yes', '--dry-run', '--json', ...PACKAGES]));
  const text = JSON.stringify(plan);
  const names = new Set([...text.matchAll(/"name":"([^"]+)"/g)].map(([, name]) => name));
  return files.filter((file) => names.has(basename(file).split('_')[0]));
}

/** The packages, and their tree as one archive, as a web server would have them. */
function prepare(home: string, debs: readonly string[]): void {
  mkdirSync(join(home, 'debs'));
  for (const deb of debs) copyFileSync(deb, join(home, 'debs', basename(deb)));
  const script = `mkdir tree && for deb in debs/*.deb; do dpkg-deb -x "$deb" tree || exit 1; done && tar -C tree -c . | zstd -q -12 -T0 -o tree.tar.zst && rm -rf tree && sha256sum tree.tar.zst > sum`;
  const { status, stderr } = spawnSync('sh', ['-c', script], { cwd: home, encoding: 'utf8' });
  if (status !== 0) throw new SkippedError(`the archive cannot be made: ${stderr}`);
}

/** Runs a command on a machine. @returns milliseconds */
async function on({ prefix }: Machine, ...words: string[]): Promise<number> {
  const [program = '', ...args] = [...prefix, ...words];
  return (await run(program, args, { env: { XDG_CONFIG_HOME: '/nonexistent' } })).ms;
}

function tarOverHttp(client: Machine, url: string, target: string): Promise<number> {
  return on(client, 'sh', '-c', `cd ${target} && curl -sS --fail -O ${url}/tree.tar.zst -O ${url}/sum && sha256sum --quiet -c sum && mkdir tree && zstd -q -dc tree.tar.zst | tar -C tree -x && sync -f tree`);
}

function debsByCurl(client: Machine, url: string, target: string, debs: readonly string[]): Promise<number> {
  writeFileSync(join(target, 'list'), debs.map((deb) => `url = "${url}/debs/${encodeURIComponent(basename(deb))}"\noutput = "${target}/${basename(deb)}"\n`).join(''));
  return on(client, 'sh', '-c', `cd ${target} && curl -sS --fail -K list && ${UNPACK}`);
}

const UNPACK = 'mkdir tree && for deb in $(find . -name "*.deb"); do dpkg-deb -x "$deb" tree || exit 1; done && sync -f tree';

interface TorrentJob {
  network: Network;
  origin: Machine;
  client: Machine;
  home: string;
  target: string;
  debs: readonly string[];
}

/** One seed with everything at the origin's line, and a tracker beside it. */
async function debsByTorrent({ network, origin, client, home, target, debs }: TorrentJob): Promise<number> {
  const torrent = join(home, 'debs.torrent');
  if (!existsSync(torrent)) writeFileSync(torrent, torrentOf(join(home, 'debs'), readdirSync(join(home, 'debs')).toSorted(), `http://${origin.address}:8789/announce`));
  const common = ['--quiet', '--no-conf', '--enable-dht=false', '--enable-dht6=false', '--bt-enable-lpd=false', '--enable-peer-exchange=false', '--disable-ipv6', '--file-allocation=none', '--summary-interval=0'];
  const tracker = network.start(origin, [process.execPath, join(import.meta.dirname, 'torrent.ts'), origin.address, '8789'], ENVIRONMENT);
  await once(tracker.stdout ?? tracker, 'data');
  const seed = network.start(origin, ['aria2c', ...common, '--listen-port=6881', '--seed-ratio=0', '--check-integrity=true', `--dir=${home}`, torrent], ENVIRONMENT);
  await new Promise((resolve) => {
    setTimeout(resolve, 3000);
  });
  try {
    return await on(client, 'sh', '-c', `cd ${target} && aria2c ${common.join(' ')} --listen-port=6882 --seed-time=0 --dir=${target} ${torrent} && test $(find . -name "*.deb" | wc -l) = ${debs.length} && ${UNPACK}`);
  } finally {
    for (const child of [seed, tracker]) child.kill('SIGKILL');
  }
}
