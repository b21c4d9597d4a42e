/** Other ways to the same packages over the same line: fetched, checked, unpacked and synced by programs of others. */
import { spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Machine, Network } from '../../e2e/network.ts';
import { freshDirectory, has, run, SkippedError } from '../programs.ts';
import { HELIA, installed, WEBTORRENT, type NpmProgram } from './npm-programs.ts';
import { torrentOf } from './torrent.ts';

/** The two ends of the line, and what is to be brought from one to the other. */
export interface Line {
  network: Network;
  origin: Machine;
  client: Machine;
  /** `debs/`, `tree.tar.zst` and `sum`: see `prepare`. */
  home: string;
  debs: readonly string[];
  cache: string;
  env: NodeJS.ProcessEnv;
}

export interface Way {
  name: string;
  /** What it does, for the table. */
  what: string;
  /** What moss ÷ this has to be at most. */
  goal?: number;
  /**
   * @returns milliseconds until the packages' trees are there
   * @throws SkippedError when the program cannot be had
   */
  bring(line: Line): Promise<number>;
}

const FILES_PORT = 8788;
const TRACKER_PORT = 8789;
/** Milliseconds in which a program that serves has to be ready. */
const READY = 60_000;
const UNPACK = 'mkdir tree && for deb in $(find . -name "*.deb"); do dpkg-deb -x "$deb" tree || exit 1; done && sync -f tree';

export const WAYS: readonly Way[] = [
  { name: 'tar.zst', what: 'tar.zst of the tree by curl, checked by sha256sum, unpacked', goal: 1.2, bring: tarOverHttp },
  { name: 'curl + dpkg-deb -x', what: 'curl of the .deb files, dpkg-deb -x', bring: debsByCurl },
  { name: 'aria2c', what: 'BitTorrent by aria2c, one seed at the same line, dpkg-deb -x', goal: 0.5, bring: debsByAria },
  { name: 'WebTorrent', what: 'WebTorrent, one seed at the same line, dpkg-deb -x', goal: 0.5, bring: debsByWebTorrent },
  { name: 'Helia', what: 'Helia with bitswap from one node at the same line, dpkg-deb -x', goal: 0.5, bring: debsByHelia },
];

/** The packages, their tree as one archive, and a torrent of them, as others would have them; served by node's HTTP from now on. */
export async function prepare({ network, origin, home, debs, env }: Line): Promise<void> {
  mkdirSync(join(home, 'debs'), { recursive: true });
  for (const deb of debs) copyFileSync(deb, join(home, 'debs', basename(deb)));
  const script = `mkdir tree && for deb in debs/*.deb; do dpkg-deb -x "$deb" tree || exit 1; done && tar -C tree -c . | zstd -q -12 -T0 -o tree.tar.zst && rm -rf tree && sha256sum tree.tar.zst > sum`;
  const { status, stderr } = spawnSync('sh', ['-c', script], { cwd: home, encoding: 'utf8' });
  if (status !== 0) throw new SkippedError(`the archive cannot be made: ${stderr}`);
  writeFileSync(join(home, 'debs.torrent'), torrentOf(join(home, 'debs'), readdirSync(join(home, 'debs')).toSorted(), `http://${origin.address}:${TRACKER_PORT}/announce`));
  const server = network.start(origin, [process.execPath, join(import.meta.dirname, '../http-files.ts'), home, origin.address, String(FILES_PORT)], env);
  await once(server.stdout ?? server, 'data');
}

/** Runs a command on a machine. @returns milliseconds */
export async function on({ prefix }: Machine, ...words: string[]): Promise<number> {
  const [program = '', ...args] = [...prefix, ...words];
  return (await run(program, args, { env: { XDG_CONFIG_HOME: '/nonexistent' } })).ms;
}

function tarOverHttp({ origin, client, cache }: Line): Promise<number> {
  const url = `http://${origin.address}:${FILES_PORT}`;
  return on(client, 'sh', '-c', `cd ${freshDirectory(cache)} && curl -sS --fail -O ${url}/tree.tar.zst -O ${url}/sum && sha256sum --quiet -c sum && mkdir tree && zstd -q -dc tree.tar.zst | tar -C tree -x && sync -f tree`);
}

function debsByCurl({ origin, client, cache, debs }: Line): Promise<number> {
  const target = freshDirectory(cache);
  const url = `http://${origin.address}:${FILES_PORT}/debs`;
  writeFileSync(join(target, 'list'), debs.map((deb) => `url = "${url}/${encodeURIComponent(basename(deb))}"\noutput = "${target}/${basename(deb)}"\n`).join(''));
  return on(client, 'sh', '-c', `cd ${target} && curl -sS --fail -K list && ${UNPACK}`);
}

/** Gets all `.deb` files into the present directory by a command, and unpacks them. */
function unpackedBy(command: string, target: string, { client, debs }: Line): Promise<number> {
  return on(client, 'sh', '-c', `cd ${target} && ${command} && test $(find . -name "*.deb" | wc -l) = ${debs.length} && ${UNPACK}`);
}

async function debsByAria(line: Line): Promise<number> {
  if (!has('aria2c')) throw new SkippedError('aria2c is not on this machine: apt-get install aria2');
  const { home, cache } = line;
  const torrent = join(home, 'debs.torrent');
  const common = ['--quiet', '--no-conf', '--enable-dht=false', '--enable-dht6=false', '--bt-enable-lpd=false', '--enable-peer-exchange=false', '--disable-ipv6', '--file-allocation=none', '--summary-interval=0'];
  return withTracker(line, async () => {
    const seed = line.network.start(line.origin, ['aria2c', ...common, '--listen-port=6881', '--seed-ratio=0', '--check-integrity=true', `--dir=${home}`, torrent], line.env);
    // It says nothing when it is ready.
    await setTimeout(3000);
    const target = freshDirectory(cache);
    return ended(seed, () => unpackedBy(`aria2c ${common.join(' ')} --listen-port=6882 --seed-time=0 --dir=${target} ${torrent}`, target, line));
  });
}

async function debsByWebTorrent(line: Line): Promise<number> {
  const modules = await modulesOf(line.cache, WEBTORRENT);
  const program = [process.execPath, join(import.meta.dirname, 'webtorrent.ts'), modules];
  const torrent = join(line.home, 'debs.torrent');
  return withTracker(line, async () => {
    const seed = line.network.start(line.origin, [...program, 'seed', torrent, line.home], line.env);
    await firstWords(seed);
    const target = freshDirectory(line.cache);
    return ended(seed, () => unpackedBy([...program, 'get', torrent, target].join(' '), target, line));
  });
}

async function debsByHelia(line: Line): Promise<number> {
  const modules = await modulesOf(line.cache, HELIA);
  const program = [process.execPath, join(import.meta.dirname, 'helia.ts'), modules];
  const server = line.network.start(line.origin, [...program, 'serve', join(line.home, 'debs'), line.origin.address], line.env);
  const where = (await firstWords(server)).trim();
  const target = freshDirectory(line.cache);
  return ended(server, () => unpackedBy([...program, 'get', where, target].join(' '), target, line));
}

async function modulesOf(cache: string, program: NpmProgram): Promise<string> {
  try {
    return await installed(cache, program);
  } catch (error) {
    throw new SkippedError(`npm cannot install ${program.name} here: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`);
  }
}

async function withTracker({ network, origin, env }: Line, work: () => Promise<number>): Promise<number> {
  const tracker = network.start(origin, [process.execPath, join(import.meta.dirname, 'torrent.ts'), origin.address, String(TRACKER_PORT)], env);
  await firstWords(tracker);
  return ended(tracker, work);
}

/** Ends a program after the work that it was started for. */
async function ended(child: ChildProcess, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } finally {
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }
}

async function firstWords(child: ChildProcess): Promise<string> {
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors = `${errors}${chunk.toString()}`.slice(-2000)));
  const over = AbortSignal.timeout(READY);
  const [words]: unknown[] = await Promise.race([
    once(child.stdout ?? child, 'data', { signal: over }),
    once(child, 'exit', { signal: over }).then(() => {
      throw new Error(`${child.spawnargs.slice(0, 8).join(' ')} ended: ${errors}`);
    }),
  ]);
  return String(words);
}
