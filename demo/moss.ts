/** Drives the real program as a process of its own: nothing here knows how moss works inside. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join, relative } from 'node:path';
import type { Stage } from './stage.ts';

export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
  /** Milliseconds. */
  time: number;
}

export interface Server {
  url: string;
  stop(): Promise<void>;
}

/** A document that `--json` gave. */
export type Document = Record<string, unknown>;

export class Moss {
  readonly #project: string;
  readonly #root: string;
  readonly #stage: Stage;

  constructor({ project, root, stage }: { project: string; root: string; stage: Stage }) {
    this.#project = project;
    this.#root = root;
    this.#stage = stage;
  }

  /** Runs a verb and gives what it says; every exit status is an answer. `shown` replaces long lists of arguments. */
  async run(args: readonly string[], { shown = args }: { shown?: readonly string[] } = {}): Promise<Ran> {
    this.#show(shown);
    return this.#stage.waiting(`moss ${args[0] ?? ''}`, this.#spawn(args));
  }

  /** The same with `--json`. */
  async ask(args: readonly string[], options: { shown?: readonly string[] } = {}): Promise<Ran & { document: Document }> {
    const ran = await this.run([...args, '--json'], { shown: args, ...options });
    return { ...ran, document: parse(ran.stdout) };
  }

  /** The same, and it has to succeed. */
  async do(args: readonly string[], options: { shown?: readonly string[] } = {}): Promise<Ran & { document: Document }> {
    const ran = await this.ask(args, options);
    if (ran.status !== 0) throw new Error(`moss ${args[0] ?? ''} ended with ${ran.status}\n${ran.stdout}${ran.stderr}`);
    return ran;
  }

  /** `moss serve` on a free port; the promise fulfils when it listens. */
  async serve(directory: string): Promise<Server> {
    const args = ['serve', directory, '--port', '0', '--json'];
    this.#show(['serve', directory, '--port', '0']);
    const child = spawn(process.execPath, [join(this.#project, 'bin/moss.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const url = await urlOf(child);
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    return {
      url,
      stop: async () => {
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
        await ended;
        clearTimeout(timer);
      },
    };
  }

  #show(args: readonly string[]): void {
    const short = args.map((each) => relativeTo(this.#project, each)).map((each) => (/[\s"';]/.test(each) ? `'${each}'` : each));
    this.#stage.command(`moss ${short.join(' ')}`);
  }

  #spawn(args: readonly string[]): Promise<Ran> {
    const split = args.indexOf('--');
    const [own, rest] = split < 0 ? [args, []] : [args.slice(0, split), args.slice(split)];
    const start = performance.now();
    const child = spawn(process.execPath, [join(this.#project, 'bin/moss.js'), ...own, '-D', this.#root, ...rest], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve({ status: status ?? -1, stdout, stderr, time: performance.now() - start }));
    });
  }
}

function relativeTo(project: string, text: string): string {
  return text.startsWith(`${project}/`) ? relative(project, text) : text;
}

function parse(stdout: string): Document {
  try {
    return JSON.parse(stdout);
  } catch {
    return {};
  }
}

function urlOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const onData = (chunk: Buffer): void => {
      text += chunk.toString();
      const url = /http:\/\/(?:127\.0\.0\.1|localhost|\[::1?\]|0\.0\.0\.0):\d+/.exec(text)?.[0];
      if (url !== undefined) resolve(url);
    };
    child.stdout?.on('data', onData);
    child.stderr?.on('data', onData);
    child.once('error', reject);
    child.once('exit', (status) => reject(new Error(`moss serve ended with ${status}\n${text}`)));
  });
}
