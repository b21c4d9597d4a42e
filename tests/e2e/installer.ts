/** A machine that installs from peers: a root with a daemon that shares with the swarm, and what it talks to. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { document, ENVIRONMENT, mossDone, START, type MossOptions, type Ran } from './moss.ts';

/** Milliseconds for anything that is awaited here. */
export const LIMIT = 180_000;

export interface Program {
  child: ChildProcess;
  /** The document that it said first. */
  said: Record<string, unknown>;
  /** What it said on stderr so far. */
  errors: () => string;
  stop(): Promise<void>;
}

/** Starts a `moss` that stays, and waits for what it says. */
export async function startMoss(args: readonly string[], env: Record<string, string> = {}): Promise<Program> {
  const child = spawn(process.execPath, [START, ...args, '--json'], { env: { ...ENVIRONMENT, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const said = await new Promise<Record<string, unknown>>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      try {
        resolve({ ...JSON.parse(text) });
      } catch {
        // There is more to come.
      }
    });
    child.once('close', () => reject(new Error(`moss ${args.join(' ')} ended:\n${text}${errors}`)));
  });
  return {
    child,
    said,
    errors: () => errors,
    stop: async () => {
      child.kill('SIGTERM');
      const guard = globalThis.setTimeout(() => child.kill('SIGKILL'), 60_000);
      await ended;
      clearTimeout(guard);
      if (child.signalCode !== null) throw new Error(`moss ${args.join(' ')} did not end by itself, but by ${child.signalCode}:\n${errors.slice(-2000)}`);
    },
  };
}

/** A machine that shares with the swarm. */
export class Installer {
  readonly root: string;
  readonly #options: MossOptions;
  #daemon: Program | undefined;

  constructor(root: string) {
    this.root = root;
    this.#options = { root, limit: LIMIT };
  }

  async begin({ url, repository }: { url: string; repository: { fingerprint: string } }, { webTransport = false } = {}): Promise<void> {
    await mossDone(['repo', 'add', 'test', url, '--fingerprint', repository.fingerprint, '--yes'], this.#options);
    await mossDone(['share', 'on', '--scope', 'swarm', '--yes'], this.#options);
    await mossDone(['config', 'set', 'peer-host', '127.0.0.1'], this.#options);
    if (webTransport) await mossDone(['config', 'set', 'webtransport', 'true'], this.#options);
    this.#daemon = await startMoss(['daemon', '--foreground', '-D', this.root]);
  }

  async peers(): Promise<{ id: string; connected: boolean; transport: string | null }[]> {
    return document(await mossDone(['peers', '--json'], this.#options))['peers'] as { id: string; connected: boolean; transport: string | null }[];
  }

  /** Waits until a peer is connected and another is not. There may be others: machines of the same network. */
  async meets(id: string, { without = '' } = {}): Promise<void> {
    await until(async () => {
      const connected = new Set((await this.peers()).filter((peer) => peer.connected).map((peer) => peer.id));
      return connected.has(id) && !connected.has(without);
    }, `the peer ${id}`);
  }

  install(name: string): Promise<Ran> {
    return mossDone(['install', name, '--yes', '--json'], this.#options);
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  async end(): Promise<void> {
    await this.#daemon?.stop();
  }
}

export async function until(test: () => Promise<boolean>, what: string | (() => string), limit = LIMIT): Promise<void> {
  const end = performance.now() + limit;
  while (!(await test())) {
    if (performance.now() > end) throw new Error(`it never came: ${typeof what === 'string' ? what : what()}`);
    await setTimeout(100);
  }
}

/** Whom an installation took bytes from. */
export function sourcesOf(ran: Ran): string[] {
  return Object.keys({ ...(document(ran)['sources'] as Record<string, number>) });
}
