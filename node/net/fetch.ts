/**
 * The Fetch API's part that the core knows. What static files are answered with is read from connections of its own,
 * everything else by `node:http`: that takes three to eight times the processor time, for objects, streams and events of
 * each answer and new memory for each read (measured: 1,059 requests of 5 KB 0.19 against 0.03 s, 1,836 of 118 KB 0.57
 * against 0.13 s; Node's own `fetch` takes another two to three times that).
 */
import type { Fetch, FetchResponse } from '../../core/ports/fetch.ts';
import { UnusualAnswer } from './http-answer.ts';
import { HttpConnection } from './http-connection.ts';

/** As many as the Fetch standard follows. */
const MAX_REDIRECTS = 20;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Connections that nothing is asked of, by the origin of their server. */
const idle = new Map<string, HttpConnection[]>();
/** Origins that are asked by `node:http`, since they answer otherwise than static files are. */
const unusual = new Set<string>();

/** Connections are kept alive and used again; they do not keep the process from ending. */
export const nodeFetch: Fetch = async (url, init = {}) => {
  // The core knows a part of AbortSignal only; at run time it is always the platform's own.
  const signal = init.signal as AbortSignal | undefined;
  let next = new URL(url);
  for (let redirects = 0; ; redirects++) {
    if (next.protocol !== 'http:' && next.protocol !== 'https:') throw new Error(`${next.href} is not an address of the web`);
    const response = await ask(next, signal);
    const location = REDIRECTS.has(response.status) ? response.headers.get('location') : null;
    if (location === null) return response;
    // Its body may have no end.
    void response.body?.getReader().cancel();
    if (init.redirect === 'error') throw new Error(`${next.href} leads to ${location}`);
    if (redirects === MAX_REDIRECTS) throw new Error(`${url} leads from one address to another without end`);
    const target = new URL(location, next);
    // Who asked for an encrypted connection does not get another one.
    if (next.protocol === 'https:' && target.protocol !== 'https:') throw new Error(`${next.href} leads to ${target.href}, which is not encrypted`);
    next = target;
  }
};

async function ask(url: URL, signal: AbortSignal | undefined): Promise<FetchResponse> {
  const byNode = unusual.has(url.origin) || url.username !== '' || process.env['NODE_USE_ENV_PROXY'] === '1';
  try {
    if (!byNode) return await askConnection(url, signal);
  } catch (error) {
    if (!(error instanceof UnusualAnswer)) throw error;
    unusual.add(url.origin);
  }
  const { askForAnyAnswer } = await import('./any-answer.ts');
  return askForAnyAnswer(url, signal);
}

async function askConnection(url: URL, signal: AbortSignal | undefined): Promise<FetchResponse> {
  const { origin, protocol, pathname, search } = url;
  const tls = protocol === 'https:' ? await import('node:tls') : undefined;
  const free = idle.get(origin) ?? [];
  idle.set(origin, free);
  for (;;) {
    signal?.throwIfAborted();
    const kept = free.pop();
    const connection = kept ?? new HttpConnection(url, { tls, onIdle: (it) => free.push(it), onClose: (it) => void remove(free, it) });
    try {
      return await connection.get(pathname + search, signal);
    } catch (error) {
      // A server may close a kept connection at the moment that it is used again: that is no failure of the server.
      if (kept === undefined || connection.heard || signal?.aborted === true) throw error;
    }
  }
}

function remove(from: HttpConnection[], connection: HttpConnection): void {
  const at = from.indexOf(connection);
  if (at !== -1) from.splice(at, 1);
}
