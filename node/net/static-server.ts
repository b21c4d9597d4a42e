/** A static web server for a site: what any web server does with it, with the headers that suit it best. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import sirv from 'sirv';
import { MossError } from '../../core/error.ts';
import { hasErrno } from '../io-error.ts';

/** One request, when its answer ended. */
export interface Served {
  client: string;
  method: string;
  path: string;
  status: number;
  /** Bytes of the body that went out. */
  bytes: number;
  milliseconds: number;
  userAgent: string | undefined;
}

export interface StaticServerOptions {
  /** What is served; never what begins with a dot. */
  directory: string;
  host: string;
  /** 0 for any that is free. */
  port: number;
  onRequest?: (served: Served) => void;
  /** Another directory, for what is not in the first: pages that come with moss. */
  pages?: string | undefined;
  /** Answers what is no file, such as an interface, whatever the method; `false` for all else. */
  route?: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
}

export interface StaticServer {
  url: string;
  port: number;
  /** Takes no more requests, and resolves when those under way have ended, or after `grace` milliseconds. */
  close(grace?: number): Promise<void>;
}

/** Seconds. Blocks never change: their name is their hash. */
const FOREVER = 365 * 24 * 3600;
/** The only form of `Range` that is heeded; others are answered with the whole, as RFC 9110 section 14.2 allows. */
const SIMPLE_RANGE = /^bytes=(\d{1,15})-(\d{0,15})$/;

/** @throws MossError `io` when the address cannot be had */
export async function startStaticServer({ directory, host, port, onRequest, route, pages }: StaticServerOptions): Promise<StaticServer> {
  // `dev` reads the disk for each request, so that new revisions are seen.
  const site = sirv(directory, { dev: true, etag: true, setHeaders });
  const beside = pages === undefined ? undefined : sirv(pages, { dev: true, etag: true, setHeaders: setPageHeaders });
  const handler: Handler = (request, response, next) => site(request, response, () => (beside === undefined ? next() : beside(request, response, next)));
  const server = createServer((request, response) => {
    observe(request, response, onRequest);
    answer(handler, request, response, route);
  });
  server.keepAliveTimeout = 60_000;
  await listen(server, host, port);
  const address = server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`, port: actual, close: (grace = 3000) => close(server, grace) };
}

type Handler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

function answer(handler: Handler, request: IncomingMessage, response: ServerResponse, route: StaticServerOptions['route']): void {
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (route?.(request, response) === true) return;
  if (!isReading(request)) {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    return;
  }
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  if (/(?:^|\/|%2f)(?:\.|%2e)/i.test(path)) {
    notFound(response);
    return;
  }
  keepSimpleRange(request);
  // A client that goes away must not leave a file open, nor a file that goes away end the server.
  response.once('pipe', (source: NodeJS.ReadableStream & { destroy?: () => void }) => {
    source.on('error', () => response.destroy());
    response.once('close', () => source.destroy?.());
  });
  try {
    handler(request, response, () => notFound(response));
  } catch {
    if (response.headersSent) response.destroy();
    else response.writeHead(500).end();
  }
}

/** Whether nothing but an answer is asked for. */
export function isReading({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

function notFound(response: ServerResponse): void {
  const body = 'not found\n';
  response.writeHead(404, { 'Content-Type': 'text/plain;charset=utf-8', 'Content-Length': body.length, 'Cache-Control': 'no-cache' }).end(body);
}

function setHeaders(response: ServerResponse, path: string): void {
  if (/^\/blocks\/[^/]+$/.test(path)) {
    response.setHeader('Cache-Control', `public,max-age=${FOREVER},immutable`);
    response.setHeader('Content-Type', 'application/octet-stream');
  } else {
    response.setHeader('Cache-Control', 'no-cache');
  }
  response.setHeader('Accept-Ranges', 'bytes');
}

/** A page that asks for consent is shown in nobody's frame, but for the one that is made for frames. */
function setPageHeaders(response: ServerResponse, path: string): void {
  response.setHeader('Cache-Control', /\/moss-engine\.[^/]+$/.test(path) ? `public,max-age=${FOREVER},immutable` : 'no-cache');
  if (path.endsWith('.html') && !path.endsWith('/frame.html')) response.setHeader('Content-Security-Policy', "frame-ancestors 'none'");
}

function keepSimpleRange(request: IncomingMessage): void {
  const [, first = '', last = ''] = SIMPLE_RANGE.exec(request.headers.range ?? '') ?? [];
  const isSound = first !== '' && (last === '' || (Number(last) >= Number(first) && Number(last) > 0));
  if (!isSound || request.headers['if-range'] !== undefined) delete request.headers.range;
}

function observe(request: IncomingMessage, response: ServerResponse, onRequest: StaticServerOptions['onRequest']): void {
  if (onRequest === undefined) return;
  const start = performance.now();
  const { socket } = request;
  const before = socket.bytesWritten;
  const client = socket.remoteAddress ?? '';
  response.once('close', () => {
    const head = response.headersSent ? Buffer.byteLength(headText(response)) : 0;
    onRequest({
      client,
      method: request.method ?? '',
      path: request.url ?? '',
      status: response.statusCode,
      bytes: Math.max(0, socket.bytesWritten - before - head),
      milliseconds: Math.round(performance.now() - start),
      userAgent: request.headers['user-agent'],
    });
  });
}

/** The head as it was written: the socket counts it too. */
function headText(response: ServerResponse & { _header?: string | null }): string {
  return response._header ?? '';
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const taken = hasErrno(cause, 'EADDRINUSE');
      reject(
        new MossError('io', taken ? `port ${port} is taken` : `${host}:${port} cannot be listened on: ${cause.message}`, {
          hint: taken ? 'Choose another one with --port, or 0 for any that is free.' : 'Choose another address with --host.',
          cause,
          data: { host, port },
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}

async function close(server: Server, grace: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), grace);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
