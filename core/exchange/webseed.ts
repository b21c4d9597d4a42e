/** A static web directory as a source: `blocks/<cid>` below its URL. */
import type { Clock } from '../ports/clock.ts';
import type { Fetch } from '../ports/fetch.ts';
import type { BlockRequest, GetOptions, Source } from '../ports/source.ts';
import { fetchBytes } from './http.ts';

export interface WebseedOptions {
  /** Where the site is: `blocks/` is looked for below it. */
  url: string;
  fetch: Fetch;
  clock: Clock;
  /** Requests at the same time. */
  concurrency?: number | undefined;
  /** Milliseconds without a byte after which a request is given up. */
  stallTimeout?: number | undefined;
}

/** Enough to hide the round trips of a distant server, few enough for any server. */
const CONCURRENCY = 12;

export class Webseed implements Source {
  readonly kind = 'webseed';
  readonly name: string;
  readonly concurrency: number;
  readonly #options: WebseedOptions;
  readonly #base: string;

  constructor(options: WebseedOptions) {
    this.#options = options;
    this.#base = options.url.replace(/\/+$/, '');
    this.name = this.#base;
    this.concurrency = options.concurrency ?? CONCURRENCY;
  }

  get({ cid, maxBytes }: BlockRequest, options: GetOptions = {}): Promise<Uint8Array> {
    return fetchBytes(`${this.#base}/blocks/${cid.toString()}`, { ...this.#options, ...options, maxBytes });
  }
}
