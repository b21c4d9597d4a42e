/** A real Chromium, driven by playwright-core, and a small web server for what it loads. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type LaunchOptions } from 'playwright-core';
import type { Plugin } from 'vite';
import { slimLibp2p } from '../../build/slim-libp2p.ts';
import { bundleOne, workerSource } from '../../build/worker-source.ts';

export const PROJECT = join(import.meta.dirname, '../..');

const PLACES = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** Where a Chromium is, if there is one. */
export const CHROMIUM = PLACES.find((path) => path !== undefined && existsSync(path));
/** For `describe(..., { skip: NO_CHROMIUM }, ...)`: why browser tests cannot run, or `false`. */
export const NO_CHROMIUM: string | false = CHROMIUM === undefined ? 'no Chromium: set CHROMIUM to the path of one' : false;

/** Milliseconds that a page is waited for. On a machine that other things keep busy, Playwright's own thirty seconds are not enough. */
const PATIENCE = 120_000;

/** A browser of its own, without anything that it would ask of the network by itself. */
export function launch(options: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch({ ...launchOptions(), ...options });
}

/** A private window, whose storage is in memory. */
export async function newContext(browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE);
  return context;
}

/** A window with a profile on the disk, so that storage is as a person's is. */
export async function launchProfile(directory: string, options: Parameters<typeof chromium.launchPersistentContext>[1] = {}): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(directory, { ...launchOptions(), ...options });
  context.setDefaultTimeout(PATIENCE);
  return context;
}

/** `--no-sandbox`: the tests may run as root, where the sandbox cannot. Loopback has to do, so mDNS names are off. */
export const CHROMIUM_FLAGS = ['--no-sandbox', '--disable-features=WebRtcHideLocalIpsWithMdns', '--allow-loopback-in-peer-connection'];

function launchOptions(): LaunchOptions {
  if (CHROMIUM === undefined) throw new Error('no Chromium is here');
  return { executablePath: CHROMIUM, args: CHROMIUM_FLAGS };
}

/** What a path answers: the content, its type by the extension unless it is given. */
export interface Served {
  body: string | Uint8Array;
  type?: string;
  headers?: Record<string, string>;
}

export interface PageServer {
  url: string;
  /** Paths in the order in which they were asked for. */
  requests: string[];
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html;charset=utf-8',
  '.js': 'text/javascript;charset=utf-8',
  '.css': 'text/css;charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};

/** Serves what `answer` gives, on loopback, which browsers take for a secure context. */
export async function servePages(answer: (path: string) => Served | undefined, { port = 0 } = {}): Promise<PageServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://server').pathname;
    requests.push(path);
    const served = answer(path);
    if (served === undefined) response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found');
    else response.writeHead(200, { 'Content-Type': served.type ?? TYPES[extname(path)] ?? 'application/octet-stream', 'Access-Control-Allow-Origin': '*', ...served.headers }).end(served.body);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${portOf(server)}`, requests, close: () => closeServer(server) };
}

/** The files of a directory, for `servePages`. */
export function filesOf(directory: string): (path: string) => Served | undefined {
  return (path) => {
    const file = join(directory, normalize(path.endsWith('/') ? `${path}index.html` : path));
    return file.startsWith(directory) && existsSync(file) && statSync(file).isFile() ? { body: readFileSync(file), type: TYPES[extname(file)] ?? 'application/octet-stream' } : undefined;
  };
}

/** A module of the project, by its path, with all that it imports, as text for a page. */
export function bundle(entry: string, plugins: Plugin[] = []): Promise<string> {
  return bundleOne(join(PROJECT, entry), [workerSource(join(PROJECT, 'web/store/worker.ts')), slimLibp2p(), ...plugins]);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
