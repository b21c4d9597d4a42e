/** What a static server did, for whoever watches: a line for each client and second, or one for each request. */
import type { Served } from '../net/static-server.ts';
import { count, formatBytes, printable } from './format.ts';

interface Sum {
  requests: number;
  bytes: number;
  failed: number;
}

/** Milliseconds between two lines about a client. */
const INTERVAL = 1000;

export class ServeLog {
  readonly #write: (line: string) => void;
  readonly #verbose: boolean;
  readonly #sums = new Map<string, Sum>();
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (line: string) => void, { verbose }: { verbose: boolean }) {
    this.#write = write;
    this.#verbose = verbose;
  }

  add({ client, method, path, status, bytes, milliseconds }: Omit<Served, 'userAgent'>): void {
    if (this.#verbose) {
      this.#write(`${client}  ${status}  ${method} ${printable(path).slice(0, 500)}  ${formatBytes(bytes)}  ${milliseconds} ms`);
      return;
    }
    const sum = this.#sums.get(client) ?? { requests: 0, bytes: 0, failed: 0 };
    this.#sums.set(client, sum);
    sum.requests++;
    sum.bytes += bytes;
    if (status >= 400) sum.failed++;
    this.#timer ??= setTimeout(() => this.flush(), INTERVAL);
  }

  /** Writes what was gathered. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [client, { requests, bytes, failed }] of this.#sums) {
      this.#write(`${client}  ${count(requests, 'request')}  ${formatBytes(bytes)}${failed > 0 ? `  ${failed} not found or refused` : ''}`);
    }
    this.#sums.clear();
  }
}
