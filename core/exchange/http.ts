/** Bytes from a URL, through the platform's `fetch`: bounded in length, with a deadline that moves on as they come. */
import { MossError } from '../error.ts';
import type { Clock } from '../ports/clock.ts';
import type { Fetch, FetchResponse } from '../ports/fetch.ts';
import type { GetOptions } from '../ports/source.ts';
import { release } from '../release.ts';
import { withDeadline, type Deadline } from './deadline.ts';

/** Milliseconds without a byte after which a request is given up. */
export const STALL_TIMEOUT = 15_000;
/** Bytes that must come within the stall timeout: a source that sends byte after byte would hold a session for ever. */
const LEAST_PROGRESS = 4096;

export interface FetchBytesOptions extends GetOptions {
  fetch: Fetch;
  clock: Clock;
  maxBytes: number;
  /** Milliseconds without a byte after which the request is given up. */
  stallTimeout?: number | undefined;
}

/**
 * The body of a URL, at most `maxBytes` long.
 *
 * @throws MossError `no-source` (404 and the like), `source-failed` (5xx, reset, stall), `bad-block` (too long)
 */
export async function fetchBytes(url: string, options: FetchBytesOptions): Promise<Uint8Array> {
  const { clock, signal, stallTimeout = STALL_TIMEOUT } = options;
  return withDeadline({ clock, signal, ms: stallTimeout, what: url }, async (deadline) => {
    let response: FetchResponse;
    try {
      response = await options.fetch(url, { signal: deadline.signal, redirect: 'follow' });
    } catch (cause) {
      throw deadline.failure() ?? failed(url, 'cannot be reached', { cause });
    }
    deadline.extend();
    const reader = response.body?.getReader();
    try {
      checkStatus(url, response);
      return await readBody(url, { response, reader }, options, deadline);
    } catch (error) {
      void reader?.cancel().catch(() => undefined);
      throw error;
    }
  });
}

function checkStatus(url: string, { status }: FetchResponse): void {
  if (status === 200) return;
  if (status === 404 || status === 410 || status === 403) {
    throw new MossError('no-source', `${url} is not there (HTTP ${status})`, { data: { url, status } });
  }
  throw failed(url, `answers with HTTP ${status}`, { data: { status } });
}

type Reader = ReturnType<NonNullable<FetchResponse['body']>['getReader']>;

async function readBody(
  url: string,
  { response, reader }: { response: FetchResponse; reader: Reader | undefined },
  options: FetchBytesOptions,
  deadline: Deadline,
): Promise<Uint8Array> {
  const declared = Number(response.headers.get('content-length') ?? Number.NaN);
  const { maxBytes, onBytes } = options;
  if (declared > maxBytes) throw tooLong(url, maxBytes);
  const least = Number.isInteger(declared) ? declared : 65_536;
  let buffer: Uint8Array = new Uint8Array(0);
  let length = 0;
  let extended = 0;
  for (;;) {
    let chunk: { done: boolean; value?: Uint8Array | undefined } | undefined;
    try {
      chunk = await reader?.read();
    } catch (cause) {
      throw deadline.failure() ?? failed(url, 'broke off', { cause });
    }
    if (chunk?.value === undefined) break;
    const { value } = chunk;
    if (length + value.length > maxBytes) throw tooLong(url, maxBytes);
    const count = value.length;
    if (length === 0 && count === declared && count === value.buffer.byteLength) {
      // A small one comes in one piece, with memory of its own.
      buffer = value;
    } else {
      if (length + count > buffer.length) {
        const larger = new Uint8Array(Math.min(maxBytes, Math.max(least, buffer.length * 2, length + count)));
        larger.set(buffer.subarray(0, length));
        buffer = larger;
      }
      buffer.set(value, length);
      release(value);
    }
    length += count;
    if (length - extended >= LEAST_PROGRESS) {
      deadline.extend();
      extended = length;
    }
    onBytes?.(count);
  }
  if (Number.isInteger(declared) && length < declared && response.headers.get('content-encoding') === null) {
    throw failed(url, `broke off after ${length} of ${declared} bytes`);
  }
  return length === buffer.length ? buffer : buffer.slice(0, length);
}

function failed(url: string, what: string, options: { cause?: unknown; data?: Record<string, number> } = {}): MossError {
  return new MossError('source-failed', `${url} ${what}`, { ...options, data: { url, ...options.data } });
}

function tooLong(url: string, maxBytes: number): MossError {
  return new MossError('bad-block', `${url} sends more than the ${maxBytes} bytes that it may have`, { data: { url } });
}
