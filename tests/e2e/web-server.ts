/** A web server for a site that can be made to misbehave. */
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

/** What the server does instead of sending the file. */
export type Behaviour =
  | { do: 'status'; code: number }
  | { do: 'bytes'; change: (bytes: Buffer) => Uint8Array }
  /** The right length is declared; the connection is closed after a part of it. */
  | { do: 'break-off'; after: number }
  | { do: 'reset' }
  /** The connection is reset in the middle. */
  | { do: 'reset-after'; after: number }
  | { do: 'endless' }
  /** Takes the request and says nothing. */
  | { do: 'stall' }
  /** Sends the head and a part, then nothing more. */
  | { do: 'stall-after'; after: number }
  /** Sends the file, this many bytes at a time. */
  | { do: 'trickle'; bytes: number; every: number }
  | { do: 'redirect'; to: string; code?: number }
  | { do: 'headers'; headers: Record<string, string>; change?: (bytes: Buffer) => Uint8Array }
  | { do: 'gzip' }
  /** Not HTTP at all. */
  | { do: 'garbage' }
  | { do: 'delay'; ms: number };

export interface WebServer {
  url: string;
  /** Paths that were asked for, in order. */
  requests: string[];
  /** Decides what happens to a request: the path, and how often it was asked for before. */
  behave: (path: string, before: number) => Behaviour | undefined;
  /** Serve another directory from now on. */
  directory: string;
  close(): Promise<void>;
}

export async function startWebServer(directory: string): Promise<WebServer> {
  const http = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://server').pathname;
    const before = server.requests.filter((each) => each === path).length;
    server.requests.push(path);
    answer(server, path, server.behave(path, before), request, response).catch(() => response.destroy());
  });
  http.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const server: WebServer = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    behave: () => undefined,
    directory,
    close: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}

async function answer(server: WebServer, path: string, behaviour: Behaviour | undefined, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const file = join(server.directory, path);
  const exists = existsSync(file) && statSync(file).isFile();
  if (behaviour?.do === 'delay') await delay(behaviour.ms);
  if (behaviour === undefined || behaviour.do === 'delay') {
    if (!exists) response.writeHead(404).end('nothing here');
    else createReadStream(file).pipe(response.writeHead(200, { 'content-length': statSync(file).size }));
    return;
  }
  const bytes = exists ? readFileSync(file) : Buffer.from('a file that is not there');
  await misbehave(behaviour, bytes, request, response);
}

async function misbehave(behaviour: Exclude<Behaviour, { do: 'delay' }>, bytes: Buffer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  switch (behaviour.do) {
    case 'status':
      response.writeHead(behaviour.code).end('not today');
      return;
    case 'bytes':
      response.writeHead(200).end(behaviour.change(bytes));
      return;
    case 'break-off':
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, behaviour.after), () => request.socket.end());
      return;
    case 'reset':
      request.socket.resetAndDestroy();
      return;
    case 'reset-after':
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, behaviour.after), () => request.socket.resetAndDestroy());
      return;
    case 'endless':
      Readable.from(endless()).pipe(response.writeHead(200));
      return;
    case 'stall':
      return;
    case 'stall-after':
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, behaviour.after));
      return;
    case 'trickle':
      response.writeHead(200, { 'content-length': bytes.length });
      for (let at = 0; at < bytes.length && !response.destroyed; at += behaviour.bytes) {
        response.write(bytes.subarray(at, at + behaviour.bytes));
        await delay(behaviour.every);
      }
      response.end();
      return;
    case 'redirect':
      response.writeHead(behaviour.code ?? 302, { location: behaviour.to }).end();
      return;
    case 'headers':
      response.writeHead(200, behaviour.headers).end(behaviour.change?.(bytes) ?? bytes);
      return;
    case 'gzip':
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(bytes));
      return;
    case 'garbage':
      request.socket.end('HELLO THERE\r\n\r\n');
      return;
  }
}

function* endless(): Generator<Buffer> {
  const piece = Buffer.alloc(65_536, 'moss');
  for (;;) yield piece;
}
