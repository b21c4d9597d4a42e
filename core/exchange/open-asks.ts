/** What is waited for on one stream: each answer is held against what was asked, and what nobody asked for is a breach. */
import { MossError } from '../error.ts';
import type { Compressor } from '../ports/compressor.ts';
import type { Wanted } from '../ports/holdings.ts';
import type { HasOptions, Tidings } from '../ports/source.ts';
import type { IncomingRuns } from './incoming-runs.ts';
import { Incoming, type Ask } from './incoming.ts';
import { badMessage, MAX_ANSWER, type Data, type Item, type Message } from './wire/message.ts';
import { ENTRY, type RunEntry } from './wire/run.ts';

export interface Pending {
  ask: Ask;
  number: number;
  incoming: Incoming;
  onBytes: ((count: number) => void) | undefined;
  resolve: (bytes: Uint8Array) => void;
  reject: (error: unknown) => void;
}

export interface OpenAsksOptions {
  /** Without it, answers come as they are. */
  compressor?: Compressor | undefined;
  /** Without it, no runs may come. */
  runs?: typeof IncomingRuns | undefined;
}

export interface OpenAsksEvents {
  /** An answer came that cannot be unpacked. */
  onBad: (error: unknown) => void;
  /** A run was unpacked, some time after its last bytes came: what it answers is not waited for any more. */
  onRun: () => void;
}

/** As much as a stream must bring in a while: an answer that is no content counts as that. */
export const LEAST_PROGRESS = 4096;

export class OpenAsks {
  readonly #compressor: Compressor | undefined;
  readonly #events: OpenAsksEvents;
  readonly #pending = new Map<number, Pending>();
  readonly #queries = new Map<number, (here: boolean) => void>();
  /** What more is heard of, by number, until it is there. */
  readonly #followed = new Map<number, (tidings: Tidings) => void>();
  readonly #runs: IncomingRuns | undefined;
  #next = 0;
  /** Bytes that may still come for what was cancelled, alone or in a run. */
  #stray = 0;
  /** Bytes and answers that came since this was set to 0. */
  progress = 0;

  constructor({ compressor, runs: Runs }: OpenAsksOptions, events: OpenAsksEvents) {
    this.#compressor = compressor;
    this.#runs = compressor && Runs && new Runs(compressor);
    this.#events = events;
  }

  /** Answers that are waited for. */
  get size(): number {
    return this.#pending.size + this.#queries.size;
  }

  /** The content of an answer is waited for from now on. */
  add(ask: Ask, { onBytes, resolve, reject }: Pick<Pending, 'onBytes' | 'resolve' | 'reject'>): Pending {
    const pending = { ask, number: this.#next++, onBytes, resolve, reject, incoming: new Incoming(ask, this.#compressor) };
    this.#pending.set(pending.number, pending);
    return pending;
  }

  /** Answers to questions are waited for: `false` for all of them once the stream is over. */
  addQueries(wanted: readonly Wanted[], follow?: HasOptions['follow']): { items: Item[]; answers: Promise<boolean>[] } {
    const items = wanted.map((each) => ({ number: this.#next++, wanted: each, maxBytes: MAX_ANSWER }));
    if (follow !== undefined) for (const [i, { number }] of items.entries()) this.#followed.set(number, (tidings) => follow(i, tidings));
    return { items, answers: items.map(({ number }) => new Promise((resolve) => this.#queries.set(number, resolve))) };
  }

  /**
   * Waits no more.
   *
   * @param sent whether the other side was asked already: then something may still come
   */
  cancel({ number, incoming }: Pending, sent: boolean): boolean {
    if (!this.#pending.delete(number)) return false;
    if (sent) this.#stray += ENTRY + incoming.rest;
    return true;
  }

  /** @throws MossError `bad-message`; what is busy as a whole as `source-failed` */
  take(message: Message): void {
    switch (message.type) {
      case 'data':
        this.#takeData(message);
        return;
      case 'miss':
      case 'have':
        for (const number of message.numbers) this.#takeVerdict(number, message.type === 'have');
        return;
      case 'soon':
        for (const { number, ...tidings } of message.tidings) {
          if (number >= this.#next) throw badMessage('tidings of what was never asked');
          this.#followed.get(number)?.(tidings);
        }
        return;
      case 'busy':
        this.#takeBusy(message.numbers, message.retryAfter);
        return;
      default:
        throw badMessage(`${message.type} from the side that answers`);
    }
  }

  /** The stream is over. */
  fail(error: MossError): void {
    for (const pending of this.#pending.values()) pending.reject(error);
    for (const query of this.#queries.values()) query(false);
    this.#pending.clear();
    this.#queries.clear();
    this.#followed.clear();
  }

  #takeData(data: Data): void {
    this.progress += data.bytes.length;
    const pending = this.#pending.get(data.number);
    if (data.encoding === 'zstd run') {
      this.#takeRun(data, pending);
      return;
    }
    if (pending === undefined) {
      this.#stray -= data.bytes.length;
      if (data.number >= this.#next || this.#stray < 0) throw badMessage('content that nobody asked for');
      return;
    }
    const whole = pending.incoming.take(data);
    pending.onBytes?.(data.bytes.length);
    if (whole) void this.#complete(pending);
  }

  /** Several answers as one: no more than what is waited for. */
  #takeRun(data: Data, first: Pending | undefined): void {
    if (this.#runs === undefined || data.number >= this.#next) throw badMessage('a run that nobody asked for');
    const entries = this.#runs.take(data, () => this.#mostInRuns);
    first?.onBytes?.(data.bytes.length);
    entries?.then((each) => this.#completeAll(each)).catch((error: unknown) => this.#events.onBad(error));
  }

  get #mostInRuns(): number {
    let most = this.#stray;
    for (const { ask } of this.#pending.values()) if (ask.wanted.kind === 'block') most += ENTRY + ask.maxBytes;
    return most;
  }

  /** Each answer of a run was asked for, or was until a moment ago. */
  #completeAll(entries: readonly RunEntry[]): void {
    for (const { number, bytes } of entries) {
      const pending = this.#pending.get(number);
      if (pending === undefined) {
        this.#stray -= ENTRY + bytes.length;
        if (number >= this.#next || this.#stray < 0) throw badMessage('content that nobody asked for, in a run');
        continue;
      }
      const { wanted, maxBytes } = pending.ask;
      if (wanted.kind !== 'block' || bytes.length > maxBytes) throw badMessage('a run with other than what may come');
      this.#pending.delete(number);
      this.progress += LEAST_PROGRESS;
      pending.resolve(bytes);
    }
    this.#events.onRun();
  }

  async #complete({ number, incoming, resolve, reject }: Pending): Promise<void> {
    this.#pending.delete(number);
    this.progress += LEAST_PROGRESS;
    try {
      resolve(await incoming.content());
    } catch (error) {
      reject(error);
      this.#events.onBad(error);
    }
  }

  #takeVerdict(number: number, here: boolean): void {
    if (number >= this.#next) throw badMessage('an answer about what was never asked');
    this.progress += LEAST_PROGRESS;
    const query = this.#queries.get(number);
    const follow = this.#followed.get(number);
    if (here) this.#followed.delete(number);
    if (query === undefined && follow !== undefined) {
      if (here) follow('here');
      return;
    }
    if (query !== undefined) {
      this.#queries.delete(number);
      query(here);
      return;
    }
    const pending = this.#pending.get(number);
    if (pending === undefined) return;
    if (here) throw badMessage('have, where content was asked for');
    this.#pending.delete(number);
    pending.reject(new MossError('no-source', 'the peer does not have it'));
  }

  #takeBusy(numbers: readonly number[], retryAfter: number): void {
    const busy = new MossError('source-failed', 'the peer is busy', { data: { retryAfter } });
    if (numbers.length === 0) throw busy;
    this.progress += LEAST_PROGRESS;
    for (const number of numbers) {
      const pending = this.#pending.get(number);
      this.#pending.delete(number);
      pending?.reject(busy);
      this.#queries.get(number)?.(false);
      this.#queries.delete(number);
    }
  }
}
