/** Requests by `node:http`, which reads whatever answer a web server may give, and knows proxies. */
import { Agent, get as httpGet, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, get as httpsGet } from 'node:https';
import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { FetchResponse } from '../../core/ports/fetch.ts';

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

// Proxies as Node's own `fetch` takes them from the environment, where NODE_USE_ENV_PROXY asks for it.
const proxyEnv = process.env['NODE_USE_ENV_PROXY'] === '1' ? process.env : undefined;
const agents = {
  'http:': new Agent({ keepAlive: true, ...(proxyEnv && { proxyEnv }) }),
  'https:': new TlsAgent({ keepAlive: true, ...(proxyEnv && { proxyEnv }) }),
};

/** Connections are kept alive and used again; they do not keep the process from ending. */
export async function askForAnyAnswer(url: URL, signal: AbortSignal | undefined): Promise<FetchResponse> {
  return responseOf(await request(url, signal));
}

function request(url: URL, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  const [get, agent] = url.protocol === 'http:' ? [httpGet, agents['http:']] : [httpsGet, agents['https:']];
  return new Promise((resolve, reject) => {
    const asked = get(url, { agent, headers: { 'accept-encoding': 'identity' }, ...(signal && { signal }) }, resolve);
    asked.on('error', (error: NodeJS.ErrnoException) => {
      // A server may close a kept connection at the moment that it is used again: that is no failure of the server.
      if (asked.reusedSocket && error.code === 'ECONNRESET' && signal?.aborted !== true) resolve(request(url, signal));
      else reject(error);
    });
  });
}

function responseOf(message: IncomingMessage): FetchResponse {
  return {
    status: message.statusCode ?? 0,
    headers: {
      get: (name) => {
        const value = message.headers[name.toLowerCase()];
        return value === undefined ? null : String(value);
      },
    },
    body: { getReader: () => readerOf(decoded(message)) },
  };
}

/** Some servers compress what nobody asked them to compress. */
function decoded(message: IncomingMessage): Readable {
  const decoder = DECODERS[message.headers['content-encoding']?.trim().toLowerCase() ?? ''];
  // How it ends, the reader of the last stream hears.
  return decoder === undefined ? message : pipeline(message, decoder(), () => undefined);
}

function readerOf(message: Readable): ReturnType<NonNullable<FetchResponse['body']>['getReader']> {
  const chunks = message[Symbol.asyncIterator]();
  return {
    read: async () => {
      const chunk = await chunks.next();
      return chunk.done === true ? { done: true } : { done: false, value: chunk.value as Uint8Array };
    },
    cancel: () => {
      // What was not read makes the connection useless.
      message.destroy();
      return Promise.resolve();
    },
  };
}
