/** A small world for the command line: a repository of directory packages, served, and a root; and the program itself. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, copyFileSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkDocument } from './documented.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'bin', 'moss.js');

export interface Ran {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Document {
  schema: string;
  [field: string]: unknown;
}

export class World {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), 'moss-cli-')));
  readonly root = join(this.directory, 'root');
  readonly repository = join(this.directory, 'repository');
  readonly environment: Record<string, string | undefined>;
  readonly #children = new Set<ChildProcess>();

  constructor() {
    this.environment = {
      PATH: process.env['PATH'],
      HOME: join(this.directory, 'home'),
      XDG_CONFIG_HOME: join(this.directory, 'config'),
      XDG_CACHE_HOME: join(tmpdir(), 'moss-test-cache'),
      MOSS_ROOT: this.root,
      // The sources: what was built before may be older.
      MOSS_SOURCE: '1',
      LANG: 'C.UTF-8',
    };
  }

  /** Starts the program and waits for its end. */
  async moss(args: readonly string[], { environment = {}, input }: { environment?: Record<string, string | undefined>; input?: string } = {}): Promise<Ran> {
    const child = this.start(args, environment);
    child.stdin?.end(input ?? '');
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (piece: Buffer) => (stdout += piece.toString()));
    child.stderr?.on('data', (piece: Buffer) => (stderr += piece.toString()));
    return new Promise((resolve) => child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr })));
  }

  start(args: readonly string[], environment: Record<string, string | undefined> = {}): ChildProcess {
    const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: this.directory, env: { ...this.environment, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#children.add(child);
    child.on('close', () => this.#children.delete(child));
    return child;
  }

  /** What a successful command says on stdout. */
  async text(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.moss(args);
    if (status !== 0) throw new Error(`moss ${args.join(' ')} exited with ${status}\n${stdout}${stderr}`);
    return stdout;
  }

  /** The document of a command, held against docs/json.md. */
  async json(...args: string[]): Promise<Document> {
    const { stdout, stderr } = await this.moss(['--json', ...args]);
    for (const line of stderr.split('\n').filter((each) => each !== '')) JSON.parse(line);
    if (stdout.indexOf('\n') !== stdout.length - 1) throw new Error(`moss ${args.join(' ')} wrote more or less than one line:\n${stdout}${stderr}`);
    const document = JSON.parse(stdout) as Document;
    checkDocument(document);
    return document;
  }

  /** A package as a directory: a script, a document, a configuration file. */
  package(name: string, version: string, { depends = [], files = {} }: { depends?: string[]; files?: Record<string, string> } = {}): string {
    const directory = join(this.directory, 'packages', `${name}-${version}`);
    const all: Record<string, string> = {
      [`usr/bin/${name}`]: `#!/bin/sh\necho ${name} ${version}\n`,
      [`usr/share/doc/${name}/README`]: `${name} ${version}\n`,
      [`etc/${name}.conf`]: `version = ${version}\n`,
      'moss.toml': `[package]\nname = "${name}"\nversion = "${version}"\nsummary = "The ${name} program"\ndepends = ${JSON.stringify(depends)}\n`,
      ...files,
    };
    for (const [path, text] of Object.entries(all)) this.#write(join(directory, path), text);
    chmodSync(join(directory, `usr/bin/${name}`), 0o755);
    return directory;
  }

  /** A package with this machine's own shell and its libraries, so that programs can run inside; `undefined` without. */
  shellPackage(): string | undefined {
    const directory = join(this.directory, 'packages', 'shell-1');
    try {
      const shell = realpathSync('/bin/sh');
      const libraries = execFileSync('ldd', [shell], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
      for (const [from, to] of [[shell, '/usr/bin/sh'] as const, ...libraries.map((path) => [realpathSync(path), path] as const)]) {
        const target = join(directory, to.replace(/^\/(?!usr\/)/, '/usr/'));
        mkdirSync(dirname(target), { recursive: true });
        copyFileSync(from, target);
        chmodSync(target, 0o755);
      }
    } catch {
      return undefined;
    }
    this.#write(join(directory, 'moss.toml'), '[package]\nname = "shell"\nversion = "1"\nsummary = "A shell"\n');
    return directory;
  }

  /** Serves a directory, and gives the address. */
  async serve(directory: string, ...options: string[]): Promise<{ url: string; child: ChildProcess; log: () => string }> {
    const child = this.start(['serve', directory, '--port', '0', '--no-peer', ...options]);
    let out = '';
    let log = '';
    child.stderr?.on('data', (piece: Buffer) => (log += piece.toString()));
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout?.on('data', (piece: Buffer) => {
        out += piece.toString();
        const found = /http:\/\/[\d.]+:\d+/.exec(out)?.[0];
        if (found !== undefined) resolve(found);
      });
      child.on('close', () => reject(new Error(`it does not serve: ${out}${log}`)));
    });
    return { url, child, log: () => log };
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  exists(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  remove(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  #write(path: string, text: string): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** The end of a child: its status, or the signal that ended it. */
export async function ended(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode;
  return new Promise((resolve) => child.on('exit', (status, signal) => resolve(status ?? signal)));
}
