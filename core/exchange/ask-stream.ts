/** The side that asks, on one stream: many wants under way, each answer checked in its lengths as it comes. */
import { MossError } from '../error.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compressor } from '../ports/compressor.ts';
import type { Wanted } from '../ports/holdings.ts';
import type { GetOptions, HasOptions } from '../ports/source.ts';
import type { Stream } from '../ports/transport.ts';
import { abortController } from './abort-controller.ts';
import type { Ask } from './incoming.ts';
import type { IncomingRuns } from './incoming-runs.ts';
import { LEAST_PROGRESS, OpenAsks, type Pending } from './open-asks.ts';
import type { RateLimit } from './token-bucket.ts';
import { Decoder, FROM_SERVER } from './wire/decode.ts';
import { encodeMessage } from './wire/encode.ts';
import { badMessage, DEFAULT_OPEN, MAX_ITEMS, VERSION, type Hello, type Message } from './wire/message.ts';

export interface AskStreamOptions {
  clock: Clock;
  /** Without it, answers come as they are. */
  compressor?: Compressor | undefined;
  /** Without it, or without a compressor, no small files come together. */
  runs?: typeof IncomingRuns | undefined;
  /** Milliseconds without any progress after which the stream is given up. */
  stallTimeout?: number | undefined;
  /** How fast bytes may come: nothing more is read before those that came were allowed. */
  rate?: RateLimit | undefined;
}

/** As for webseeds: a source that sends byte after byte would hold a session for ever. */
const STALL_TIMEOUT = 15_000;
/** While so many answers are under way, wants gather until they are so many: a message costs both sides as much as a small block. */
const UNDER_WAY = 64;
const TOGETHER = 32;

export class AskStream {
  readonly #stream: Stream;
  readonly #options: AskStreamOptions;
  readonly #asks: OpenAsks;
  readonly #stop = abortController();
  #hello: Hello | undefined;
  readonly #greeted = Promise.withResolvers<Hello>();
  /** Queries that wait for room. */
  readonly #waiting: (() => void)[] = [];
  /** Wants and cancels that wait for the next write. */
  #wants: Pending[] = [];
  #out: Uint8Array[] = [];
  #writing = false;
  #failure: { error: unknown } | undefined;

  constructor(stream: Stream, options: AskStreamOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#asks = new OpenAsks(options, { onBad: (error) => this.#fail(error), onRun: () => this.#answered() });
    const zstd = options.compressor !== undefined;
    const runs = zstd && options.runs !== undefined;
    this.#out.push(encodeMessage({ type: 'hello', version: VERSION, frames: false, files: false, deltas: false, news: false, zstd, runs, maxOpen: 0, repositories: [] }));
    this.#flush();
    this.#greeted.promise.catch(() => undefined);
    this.#read().catch((error: unknown) => this.#fail(error));
    this.#watch().catch(() => undefined);
  }

  /** What the other side said of itself, once it did. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  /** The same, when it comes. Rejects when the stream ends before. */
  get greeting(): Promise<Hello> {
    return this.#greeted.promise;
  }

  /** Whether nothing can be asked any more. */
  get over(): boolean {
    return this.#failure !== undefined;
  }

  /** Answers that are waited for. */
  get open(): number {
    return this.#asks.size;
  }

  /** How many more items the other side allows now. */
  get #room(): number {
    return (this.#hello?.maxOpen ?? DEFAULT_OPEN) - (this.open - this.#wants.length);
  }

  /**
   * The content, unverified.
   *
   * @throws MossError `no-source` when the peer does not have it, `source-failed` when it may work later (with
   * `retryAfter` in milliseconds where the peer said so), `bad-message` when the peer broke the protocol
   */
  get(ask: Ask, { signal, onBytes }: GetOptions = {}): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined || signal?.aborted === true) {
        reject(this.#failure?.error ?? signal?.reason);
        return;
      }
      const onAbort = (): void => {
        this.#cancel(pending);
        reject(signal?.reason);
      };
      const settled = (): void => signal?.removeEventListener('abort', onAbort);
      const pending = this.#asks.add(ask, {
        onBytes,
        resolve: (bytes) => {
          settled();
          resolve(bytes);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      signal?.addEventListener('abort', onAbort);
      this.#wants.push(pending);
      this.#flush();
    });
  }

  /** Which of the things the peer says that it has, at most 1,024 at once. */
  async has(wanted: readonly Wanted[], follow?: HasOptions['follow']): Promise<boolean[]> {
    this.#check();
    if (wanted.length === 0) return [];
    if (wanted.length > MAX_ITEMS) throw new MossError('bug', `more than ${MAX_ITEMS} things in one query`);
    while (this.#wants.length > 0 || this.#room < wanted.length) {
      await this.#change();
      this.#check();
    }
    const follows = follow !== undefined && this.#hello?.news === true;
    const { items, answers } = this.#asks.addQueries(wanted, follows ? follow : undefined);
    this.#out.push(encodeMessage({ type: 'query', items, follow: follows }));
    this.#flush();
    const here = await Promise.all(answers);
    this.#check();
    return here;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Ends the stream; what is still waited for fails. */
  close(): void {
    this.#fail(new MossError('source-failed', 'the stream was closed'));
  }

  #cancel(pending: Pending): void {
    const unsent = this.#wants.indexOf(pending);
    if (unsent !== -1) this.#wants.splice(unsent, 1);
    if (!this.#asks.cancel(pending, unsent === -1) || unsent !== -1) return;
    this.#out.push(encodeMessage({ type: 'cancel', numbers: [pending.number] }));
    this.#flush();
  }

  /** Writes what waits, as few messages. What comes during a write, or in the same turn, goes with the next one. */
  #flush(): void {
    if (this.#writing) return;
    this.#writing = true;
    void this.#write().catch((error: unknown) => this.#fail(error));
  }

  async #write(): Promise<void> {
    await undefined;
    for (;;) {
      this.#flushWants();
      this.#notify();
      const out = this.#out.splice(0);
      if (out.length === 0 || this.#failure !== undefined) break;
      for (const bytes of out) await this.#stream.write(bytes);
    }
    this.#writing = false;
  }

  /** As many as the other side allows: the others wait until something was answered, and so do few ones while it has enough to do. */
  #flushWants(): void {
    const gathered = this.#wants.length;
    if (gathered < TOGETHER && this.open - gathered >= UNDER_WAY && this.#waiting.length === 0) return;
    const wants = this.#wants.splice(0, Math.max(0, this.#room));
    for (let at = 0; at < wants.length; ) {
      const { dictionary, base } = wants[at]?.ask ?? {};
      const from = at;
      while (at < wants.length && at - from < MAX_ITEMS && wants[at]?.ask.dictionary === dictionary && wants[at]?.ask.base === base) at++;
      const items = wants.slice(from, at).map(({ number, ask }) => ({ number, wanted: ask.wanted, maxBytes: ask.maxBytes }));
      this.#out.push(encodeMessage({ type: 'want', items, dictionary: dictionary?.sha256, base }));
    }
  }

  async #read(): Promise<void> {
    const decoder = new Decoder(FROM_SERVER);
    for (;;) {
      const chunk = await this.#stream.read();
      if (chunk === undefined) throw new MossError('source-failed', 'the peer ended the stream');
      for (const message of decoder.push(chunk)) this.#take(message);
      this.#answered();
      await this.#options.rate?.take(chunk.length, { signal: this.#stop.signal });
    }
  }

  /** Fewer answers are under way: those who wait for that go on. */
  #answered(): void {
    if (this.#wants.length > 0) this.#flush();
    this.#notify();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #notify(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #take(message: Message): void {
    if (this.#hello === undefined && message.type !== 'hello' && message.type !== 'busy') throw badMessage(`${message.type} before hello`);
    if (message.type !== 'hello') {
      this.#asks.take(message);
      return;
    }
    if (this.#hello !== undefined) throw badMessage('hello twice');
    this.#hello = message;
    this.#greeted.resolve(message);
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    const known = error instanceof MossError ? error : new MossError('source-failed', 'the stream broke', { cause: error });
    this.#failure = { error: known };
    this.#greeted.reject(known);
    this.#stop.abort(known);
    this.#stream.abort(known);
    this.#asks.fail(known);
    this.#notify();
  }

  /** Gives the stream up when too little comes of what is waited for. */
  async #watch(): Promise<void> {
    const { clock, stallTimeout = STALL_TIMEOUT } = this.#options;
    for (;;) {
      const waiting = this.open > 0 || this.#hello === undefined;
      this.#asks.progress = 0;
      await clock.sleep(stallTimeout, { signal: this.#stop.signal });
      if (waiting && (this.open > 0 || this.#hello === undefined) && this.#asks.progress < LEAST_PROGRESS) {
        this.#fail(new MossError('source-failed', `the peer sent nothing for ${Math.round(stallTimeout / 1000)} seconds`));
      }
    }
  }
}
