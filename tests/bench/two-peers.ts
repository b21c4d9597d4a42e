/** Two peers beside one, in network namespaces: each is at the end of a line of its own, and nothing else brings bytes. */
import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Network, noNetwork, type Machine } from '../e2e/network.ts';
import { run } from './programs.ts';
import { median, type Figure } from './report.ts';

export interface TwoPeersOptions {
  cache: string;
  site: string;
  moss: string;
  rounds: number;
  note: (text: string) => void;
}

/** Bits a second of a peer's line: so few that it is the line that limits, and not two cores on which all machines run. */
const LINE = '25mbit';
const LINE_BYTES = 25e6 / 8;
const PACKAGES = ['git', 'python3', 'vim'];
const ENVIRONMENT = { ...process.env, XDG_CONFIG_HOME: '/nonexistent', MOSS_ROOT: undefined };

export async function twoPeers({ cache, site, moss, rounds, note }: TwoPeersOptions): Promise<Figure[]> {
  const missing = noNetwork();
  if (missing !== undefined) {
    note(`two peers are left out: ${missing}`);
    return [];
  }
  const network = new Network('bench');
  const directory = join(cache, 'two-peers');
  rmSync(directory, { recursive: true, force: true });
  const on = ({ prefix }: Machine, ...args: string[]): Promise<unknown> => {
    const [program = '', ...rest] = [...prefix, process.execPath, moss, ...args];
    return run(program, rest, { env: { XDG_CONFIG_HOME: '/nonexistent' } });
  };
  const runs: [Run[], Run[]] = [[], []];
  try {
    const origin = network.machine('origin');
    const server = network.start(origin, [process.execPath, moss, 'serve', join(site, '..'), '--host', origin.address, '--port', '8787', '--no-peer'], ENVIRONMENT);
    await once(server.stdout ?? server, 'data');
    const peers = [network.machine('p1'), network.machine('p2')];
    for (const peer of peers) {
      const root = join(directory, peer.name);
      await on(peer, 'repo', 'add', 'bench', `http://${origin.address}:8787`, '-D', root, '--yes', '--quiet');
      await on(peer, 'install', '-D', root, '--yes', '--no-progress', ...PACKAGES);
      await on(peer, 'share', 'on', '--scope', 'lan', '-D', root, '--yes');
      network.shape(peer, { rate: LINE });
    }
    // So little that it does not count: what comes, comes from peers.
    network.shape(origin, { rate: '1mbit' });
    for (let round = 0; round < rounds; round++) {
      for (const [i, count] of [1, 2].entries()) {
        const machine = network.machine(`c${round}${count}`);
        const root = join(directory, machine.name);
        await on(machine, 'repo', 'add', 'bench', `http://${origin.address}:8787`, '-D', root, '--yes', '--quiet');
        await on(machine, 'share', 'on', '--scope', 'lan', '-D', root, '--yes');
        const daemons: ChildProcess[] = [];
        for (const peer of peers.slice(0, count)) {
          const daemon = network.start(peer, [process.execPath, moss, 'daemon', '--foreground', '-D', join(directory, peer.name)], ENVIRONMENT);
          await once(daemon.stdout ?? daemon, 'data');
          daemons.push(daemon);
        }
        const each = await installed([...machine.prefix, process.execPath, moss, 'install', ...PACKAGES, '-D', root, '--yes', '--json']);
        runs[i]?.push(each);
        for (const daemon of daemons) {
          const exit = once(daemon, 'exit');
          daemon.kill('SIGTERM');
          await exit;
        }
        note(`round ${round + 1}: ${count} at ${LINE}: ${(each.ms / 1000).toFixed(1)} s, ${(each.bytes / 1e6).toFixed(1)} MB`);
      }
    }
  } finally {
    await network.remove();
    rmSync(directory, { recursive: true, force: true });
  }
  const [one, two] = runs;
  const ratios = two.map(({ ms }, i) => (one[i]?.ms ?? Number.NaN) / ms);
  return [
    { what: `one peer at ${LINE}, moss install of ${PACKAGES.join(', ')}: its bytes ÷ what its line carries`, value: median(one.map(({ ms, bytes }) => (bytes * 1000) / ms)) / LINE_BYTES, unit: 'ratio' },
    { what: 'two equal peers ÷ one, the same content', value: median(ratios), unit: 'ratio', goal: { least: 1.8 } },
  ];
}

/** What came from peers: bytes as they travel, and the milliseconds from the first one to the last. */
interface Run {
  bytes: number;
  ms: number;
}

async function installed(command: readonly string[]): Promise<Run> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'pipe'] });
  let [bytes, first, last] = [0, 0, 0];
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const event: unknown = line.startsWith('{') ? JSON.parse(line) : undefined;
      if (typeof event !== 'object' || event === null || Reflect.get(event, 'type') !== 'received' || Reflect.get(event, 'kind') !== 'lan') continue;
      last = performance.now();
      // What the first one tells of came before it.
      if (first === 0) first = last;
      else bytes += Number(Reflect.get(event, 'bytes'));
    }
  });
  const [status]: unknown[] = await once(child, 'close');
  if (status !== 0) throw new Error(`moss install ended with ${String(status)}: ${text}`);
  return { bytes, ms: last - first };
}
