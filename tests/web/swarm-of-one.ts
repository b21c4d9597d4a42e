/** A webseed that is a peer (`moss serve`), and tabs in a real Chromium: all on loopback, all real processes. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { DonorSettings } from '../../core/donate/settings.ts';
import type { DonorStatus } from '../../core/donate/status.ts';
import type { Dialled } from '../../web/net/tab-network.ts';
import { makeRepository, writePackage, type Repository } from '../e2e/fixture.ts';
import { LIMIT, startMoss, until, type Program } from '../e2e/installer.ts';
import { bundle, newContext, type PageServer, servePages } from './chromium.ts';

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
export async function setStage(parent: string, { webTransport = false } = {}): Promise<Stage> {
  const { input, ...some } = somePackage(parent);
  const repository = await makeRepository(parent, [input]);
  const serve = await startMoss(['serve', repository.directory, '--port', '0', '--relay', ...(webTransport ? ['--webtransport'] : [])], { XDG_STATE_HOME: join(parent, 'state') });
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

/** A tab with a donor in it. */
export class Tab {
  readonly page: Page;
  readonly problems: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.problems.push(error.message));
  }

  static async open(browser: Browser, { pages }: Pick<Stage, 'pages'>, transports?: Dialled[]): Promise<Tab> {
    // A context of its own, so that two tabs do not share their storage.
    const tab = new Tab(await (await newContext(browser)).newPage());
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

  /** CIDs of the blocks that it holds. */
  held(): Promise<string[]> {
    return this.page.evaluate(async () => {
      const cids: string[] = [];
      for await (const cid of globalThis.page.storage.blocks.list()) cids.push(cid.toString());
      return cids;
    });
  }

  stop(): Promise<void> {
    return this.page.evaluate(() => globalThis.page.donor.stop());
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

/** Settings of a test. */
export function donorSettings(repository: string, others: Partial<DonorSettings> = {}): DonorSettings {
  return { repository, rate: 0, month: 0, quota: 100_000_000, hidden: -1, paused: false, ...others };
}
