/** The same files of a store, by node's own HTTP and by the exchange, each from a process of its own on loopback. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { parseCid } from '../../core/dag/cid.ts';
import { LEAF_SIZE, leafCount } from '../../core/dag/file-id.ts';
import { PeerSource } from '../../core/exchange/peer-source.ts';
import { nodeClock } from '../../node/clock.ts';
import { Host, parseMultiaddr } from '../../node/peer/host.ts';
import { passingIdentity } from '../../node/peer/identity.ts';

export interface StoredFile {
  /** Below the store. */
  path: string;
  id: string;
  size: number;
}

/** Gets all the files; each byte lies in memory then, unverified. */
export interface Side {
  fetch(files: readonly StoredFile[], concurrency: number): Promise<void>;
  stop(): Promise<void>;
}

export function storedFiles(root: string): StoredFile[] {
  const store = join(root, '.moss/store');
  return readdirSync(store).flatMap((shard) =>
    readdirSync(join(store, shard)).map((name) => ({ path: `${shard}/${name}`, id: name.replace(/\.x$/, ''), size: statSync(join(store, shard, name)).size })),
  );
}

async function inParallel<T>(jobs: readonly T[], concurrency: number, work: (job: T) => Promise<unknown>): Promise<void> {
  const rest = jobs.values();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const job of rest) await work(job);
    }),
  );
}

/** What a child process says on stdout until `end` is in it. */
async function said(child: ChildProcess, end: string): Promise<string> {
  let text = '';
  while (!text.includes(end)) {
    const [chunk]: unknown[] = await once(child.stdout ?? child, 'data');
    text += String(chunk);
  }
  return text;
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

export async function httpSide(root: string): Promise<Side> {
  const server = spawn(process.execPath, [join(import.meta.dirname, 'http-files.ts'), join(root, '.moss/store')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = Number(await said(server, '\n'));
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const fetchOne = ({ path, size }: StoredFile): Promise<void> =>
    new Promise((resolve, reject) => {
      const request = get({ host: '127.0.0.1', port, path: `/${path}`, agent }, (response) => {
        const bytes = Buffer.allocUnsafe(size);
        let at = 0;
        response.on('data', (chunk: Buffer) => (at += chunk.copy(bytes, at)));
        response.on('error', reject);
        response.on('end', () => (at === size ? resolve() : reject(new Error(`${path} is short`))));
      });
      request.on('error', reject);
    });
  return {
    fetch: (files, concurrency) => inParallel(files, concurrency, fetchOne),
    stop: async () => {
      agent.destroy();
      await ended(server);
    },
  };
}

export interface PeerSide extends Side {
  /** Milliseconds from a want on a new connection to its first byte, and from a want on one that is open. */
  firstByte(file: StoredFile): Promise<{ connecting: number; connected: number }>;
  /** Bytes that are resident, and milliseconds of processor time since the start. */
  usage(): { resident: number; cpu: number };
}

/** A daemon of the root, and a host that asks it. */
export async function peerSide(moss: string, root: string): Promise<PeerSide> {
  const daemon = spawn(process.execPath, [moss, 'daemon', '--foreground', '--json', '-D', root], { stdio: ['ignore', 'pipe', 'inherit'] });
  // It listens on all addresses, and tells others none of loopback where it has another.
  const [, rest] = /"\/ip4\/[\d.]+(\/tcp\/\d+\/p2p\/\w+)"/.exec(await said(daemon, '}\n')) ?? [];
  if (rest === undefined) throw new Error(`the daemon of ${root} did not say where it listens`);
  const host = await Host.start({ key: passingIdentity(), scope: 'lan', connections: 8 });
  await host.dial([parseMultiaddr(`/ip4/127.0.0.1${rest}`)]);
  while (host.peers[0] === undefined) await nodeClock.sleep(5);
  const [peer] = host.peers;
  const source = new PeerSource({ peer, clock: nodeClock, streams: 2 });
  await source.greet();
  return {
    fetch: async (files, concurrency) => {
      const jobs = files.flatMap(({ id, size }) => {
        const cid = parseCid(id);
        if (size <= LEAF_SIZE) return [() => source.get({ cid, maxBytes: size })];
        return Array.from({ length: leafCount(size) }, (_, i) => () => source.getLeaf(cid, i, Math.min(LEAF_SIZE, size - i * LEAF_SIZE)));
      });
      await inParallel(jobs, concurrency, (job) => job());
    },
    firstByte: async ({ id, size }) => {
      const fresh = new PeerSource({ peer, clock: nodeClock });
      const connecting = await firstByteOf(fresh, id, size);
      const connected = await firstByteOf(fresh, id, size);
      fresh.close();
      return { connecting, connected };
    },
    usage: () => usageOf(daemon.pid ?? 0),
    stop: async () => {
      source.close();
      await host.stop();
      await ended(daemon);
    },
  };
}

async function firstByteOf(source: PeerSource, id: string, size: number): Promise<number> {
  const start = performance.now();
  let first = Number.NaN;
  await source.get({ cid: parseCid(id), maxBytes: size }, { onBytes: () => (first = Number.isNaN(first) ? performance.now() - start : first) });
  return first;
}

function usageOf(pid: number): { resident: number; cpu: number } {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  // The name may hold spaces: proc(5) counts from the parenthesis that ends it.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return { resident: Number(kilobytes) * 1024, cpu: (Number(fields[11]) + Number(fields[12])) * 10 };
}
