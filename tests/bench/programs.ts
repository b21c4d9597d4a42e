/** Programs that the benchmarks run beside moss, and moss as it is shipped. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bundleProgram } from '../../build/program.ts';

/** A benchmark that cannot run here, and why. */
export class SkippedError extends Error {}

export const REPOSITORY = join(import.meta.dirname, '..', '..');

export function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

const fresh: string[] = [];

/**
 * A directory that nobody has used, removed when all benchmarks are done and not before: for minutes after many files
 * were deleted, ext4 looks at each of their inodes before it makes a new one (`recently_deleted` in fs/ext4/ialloc.c), so
 * that symbolic links take 80 µs instead of 6, and files 30 instead of 10, for both sides (measured).
 */
export function freshDirectory(cache: string): string {
  const directory = mkdtempSync(join(cache, 'fresh-'));
  // Of root, nginx serves as another user.
  chmodSync(directory, 0o755);
  fresh.push(directory);
  return directory;
}

export function removeFreshDirectories(): void {
  for (const directory of fresh.splice(0)) rmSync(directory, { recursive: true, force: true });
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** Keep what it prints on stdout. */
  output?: boolean;
}

export interface Ran {
  stdout: string;
  /** Wall time in milliseconds. */
  ms: number;
  /** The most bytes of memory that the process itself had (`VmHWM`); 0 where /proc is missing. */
  peak: number;
}

/** Runs a program to its end; anything but status 0 is an error. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const start = performance.now();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', options.output === true ? 'pipe' : 'ignore', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr = `${stderr}${chunk.toString()}`.slice(-4000)));
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, peakOf(child.pid))), 50);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  clearInterval(watch);
  if (status !== 0) throw new Error(`${program} ${args.slice(0, 4).join(' ')} ended with ${status}: ${stderr}`);
  return { stdout, ms: performance.now() - start, peak };
}

export async function capture(program: string, args: readonly string[]): Promise<string> {
  return (await run(program, args, { output: true })).stdout;
}

function peakOf(pid: number | undefined): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The program as it is shipped, compiled from the present sources into the cache; gives the path of its start script. */
export async function builtMoss(cache: string): Promise<string> {
  const home = join(cache, 'moss');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  await run(process.execPath, [join(REPOSITORY, 'node_modules/typescript/bin/tsc'), '-p', join(REPOSITORY, 'tsconfig.build.json'), '--outDir', join(home, 'dist')]);
  await bundleProgram(join(home, 'dist'));
  cpSync(join(REPOSITORY, 'bin'), join(home, 'bin'), { recursive: true });
  cpSync(join(REPOSITORY, 'package.json'), join(home, 'package.json'));
  symlinkSync(join(REPOSITORY, 'node_modules'), join(home, 'node_modules'));
  return join(home, 'bin/moss.js');
}

export interface Nginx {
  url: string;
  stop(): Promise<void>;
}

/**
 * nginx on a free port of loopback, serving a directory.
 *
 * @param log where it writes the bytes of each answer, one number a line
 */
export async function startNginx(cache: string, directory: string, log?: string): Promise<Nginx> {
  const port = await freePort();
  const home = join(cache, `nginx-${port}`);
  mkdirSync(join(home, 'tmp'), { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${home}/tmp;`).join(' ');
  writeFileSync(
    join(home, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${home}/nginx.pid; error_log ${home}/error.log; events { worker_connections 256; }
http { ${log === undefined ? 'access_log off;' : `log_format bytes $bytes_sent; access_log ${log} bytes;`} sendfile on; tcp_nopush on; keepalive_requests 100000; ${temporary}
  server { listen 127.0.0.1:${port}; root ${directory}; } }\n`,
  );
  const child = spawn('nginx', ['-p', home, '-c', join(home, 'nginx.conf'), '-e', join(home, 'error.log')], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => {
    child.on('error', () => resolve());
    child.on('close', () => resolve());
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    try {
      await fetch(url);
      break;
    } catch (cause) {
      if (tries > 100 || child.exitCode !== null) throw new Error(`nginx does not start: ${existsSync(join(home, 'error.log')) ? readFileSync(join(home, 'error.log'), 'utf8') : ''}`, { cause });
      await delay(50);
    }
  }
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}
