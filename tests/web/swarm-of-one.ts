/**
 * A webseed that is a peer (`moss serve`), a machine that will install (`moss daemon`), and tabs in a real Chromium: all
 * on loopback, all real processes.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import type { DonorSettings } from '../../core/donate/settings.ts';
import type { DonorStatus } from '../../core/donate/status.ts';
import type { Dialled } from '../../web/net/tab-network.ts';
import { makeRepository, writePackage, type Repository } from '../e2e/fixture.ts';
import { document, ENVIRONMENT, mossDone, START, type MossOptions, type Ran } from '../e2e/moss.ts';
import { bundle, servePages, type PageServer } from './chromium.ts';

/** Milliseconds for anything that is awaited here. */
const LIMIT = 60_000;

export interface Program {
  child: ChildProcess;
  /** The document that it said first. */
  said: Record<string, unknown>;
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
    stop: async () => {
      child.kill('SIGTERM');
      const guard = globalThis.setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(guard);
    },
  };
}

/** A real package of Debian, where apt can fetch one; else one that is made here. */
export function somePackage(parent: string): { input: string; name: string; program: string } {
  const directory = join(parent, 'downloads');
  mkdirSync(directory);
  const { status } = spawnSync('apt-get', ['download', '-q', 'publicsuffix'], { cwd: directory, stdio: 'ignore', timeout: 30_000 });
  const deb = status === 0 ? readdirSync(directory).find((file) => file.endsWith('.deb')) : undefined;
  if (deb !== undefined) return { input: join(directory, deb), name: 'publicsuffix', program: 'usr/share/publicsuffix/public_suffix_list.dat' };
  return { input: writePackage(parent, { name: 'pea', small: 40, large: 3_000_000 }), name: 'pea', program: 'usr/bin/pea' };
}

export interface Stage {
  /** Of the peer that serves the site. */
  peer: string;
  repository: Repository;
  package: { name: string; program: string };
  /** The URL of the site. */
  url: string;
  serve: Program;
  pages: PageServer;
  /** Ends all. */
  close(): Promise<void>;
}

/** A published package, served, and a page to load. */
export async function setStage(parent: string): Promise<Stage> {
  const { input, ...some } = somePackage(parent);
  const repository = await makeRepository(parent, [input]);
  const serve = await startMoss(['serve', repository.directory, '--port', '0', '--relay'], { XDG_STATE_HOME: join(parent, 'state') });
  const script = await bundle('tests/web/donor-page.ts');
  const pages = await servePages((path) => (path === '/donor.js' ? { body: script, type: 'text/javascript' } : { body: '<!doctype html><title>donor</title><script src="/donor.js"></script>', type: 'text/html' }));
  return {
    repository,
    package: some,
    url: String(serve.said['url']),
    serve,
    peer: JSON.parse(JSON.stringify(serve.said['peer'])).id,
    pages,
    close: async () => {
      await Promise.all([pages.close(), serve.stop()]);
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

  async begin({ url, repository }: Stage): Promise<void> {
    await mossDone(['repo', 'add', 'test', url, '--fingerprint', repository.fingerprint, '--yes'], this.#options);
    await mossDone(['share', 'on', '--scope', 'swarm', '--yes'], this.#options);
    this.#daemon = await startMoss(['daemon', '--foreground', '-D', this.root]);
  }

  async peers(): Promise<{ id: string; connected: boolean; transport: string | null }[]> {
    return document(await mossDone(['peers', '--json'], this.#options))['peers'] as { id: string; connected: boolean; transport: string | null }[];
  }

  /** Waits until a peer is connected and another is not. There may be others: machines of the same network. */
  async meets(id: string, { without }: { without: string }): Promise<void> {
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

/** A tab with a donor in it. */
export class Tab {
  readonly page: Page;
  readonly problems: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.problems.push(error.message));
  }

  static async open(browser: Browser, { pages }: Stage, transports?: Dialled[]): Promise<Tab> {
    // A context of its own, so that two tabs do not share their storage.
    const tab = new Tab(await (await browser.newContext()).newPage());
    await tab.page.goto(pages.url);
    await tab.page.evaluate((each) => void globalThis.makeDonor(each), transports);
    return tab;
  }

  start(settings: DonorSettings): Promise<void> {
    return this.page.evaluate((each) => globalThis.page.start(each), settings);
  }

  status(): Promise<DonorStatus> {
    return this.page.evaluate(() => globalThis.page.donor.status);
  }

  /** Waits for a status. */
  async shows(what: string, test: (status: DonorStatus) => boolean, limit = LIMIT): Promise<DonorStatus> {
    let last = await this.status();
    await until(
      async () => {
        last = await this.status();
        return test(last);
      },
      () => `${what}: ${JSON.stringify(last, undefined, 1)} ${this.problems.join()}`,
      limit,
    );
    return last;
  }

  stop(): Promise<void> {
    return this.page.evaluate(() => globalThis.page.donor.stop());
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

export async function until(test: () => Promise<boolean>, what: string | (() => string), limit = LIMIT): Promise<void> {
  const end = performance.now() + limit;
  while (!(await test())) {
    if (performance.now() > end) throw new Error(`it never came: ${typeof what === 'string' ? what : what()}`);
    await setTimeout(100);
  }
}

/** Settings of a test. */
export function donorSettings(repository: string, others: Partial<DonorSettings> = {}): DonorSettings {
  return { repository, rate: 0, month: 0, quota: 100_000_000, hidden: -1, paused: false, ...others };
}

/** Whom an installation took bytes from. */
export function sourcesOf(ran: Ran): string[] {
  return Object.keys({ ...(document(ran)['sources'] as Record<string, number>) });
}
