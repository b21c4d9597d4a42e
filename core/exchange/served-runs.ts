/**
 * Runs: small files that one stream asked for one after the other, sent as one (`wire/run.ts`). Who passes this to its
 * `ExchangeServer` makes them; others do not carry it.
 */
import type { AbortSignal } from '../ports/abort.ts';
import type { Compressor } from '../ports/compressor.ts';
import type { Content } from '../ports/holdings.ts';
import type { PeerScope } from '../ports/transport.ts';
import { COMPRESSED_UP_TO, unlessLost, type Answer, type Answers } from './answers.ts';
import type { ServedItem, ServedItems } from './served-items.ts';
import type { Shared } from './server.ts';
import { MAX_ITEMS } from './wire/message.ts';
import { encodeRun, type RunEntry } from './wire/run.ts';

/** Bytes of files that go together, below what one answer may have, and how many these are. */
export const RUN_BYTES = 1900 * 1024;
export const RUN_ITEMS = 256;
/**
 * 1.18 times the bytes of a whole archive at level 19, where level 3 makes 1.27, and 19 makes 1.07 (measured). On a local network
 * half of the time is worth more than that.
 */
const LEVEL = { swarm: 6, lan: 3 };
/** What a run takes while it is made: its files, and these one behind the other. */
const HELD = 2 * RUN_BYTES;

export interface ServedRunsOptions {
  shared: Shared;
  scope: PeerScope;
  /** Compresses what is worth it at the moment; `undefined` while nothing is. */
  compressor: () => Compressor | undefined;
  signal: AbortSignal;
  items: ServedItems;
  answers: Answers;
}

/** What an item wants, found. */
export interface Found {
  item: Pick<ServedItem, 'number' | 'dictionary'>;
  content: Content;
}

export class ServedRuns {
  readonly #options: ServedRunsOptions;

  constructor(options: ServedRunsOptions) {
    this.#options = options;
  }

  /** Whether a run can begin with a file, and is worth it. */
  begins(item: ServedItem, content: Content): boolean {
    const { shared, compressor } = this.#options;
    return compressor() !== undefined && mayJoin(item) && fits(content) && shared.held + HELD <= shared.limits.held;
  }

  /**
   * Takes a file and those that were asked for behind it.
   *
   * @param miss gets what is not there
   * @returns one answer for several, and what is to be answered by itself
   */
  async take(first: Found, miss: number[]): Promise<{ run: Answer | undefined; alone: Found[] }> {
    const { shared } = this.#options;
    shared.held += HELD;
    try {
      const { entries, last } = await this.#collect(first, miss);
      const run = entries.length > 1 ? await this.#make(entries) : undefined;
      const alone = run === undefined ? entries.map(({ number, bytes }) => ({ item: { number, dictionary: undefined }, content: contentOf(bytes) })) : [];
      return { run, alone: last === undefined ? alone : [...alone, last] };
    } finally {
      shared.held -= HELD;
    }
  }

  /** @returns files that go together, their numbers ascending, and one behind them that does not */
  async #collect(first: Found, miss: number[]): Promise<{ entries: RunEntry[]; last?: Found }> {
    const { items, signal } = this.#options;
    const entries: RunEntry[] = [];
    let bytes = 0;
    for (let found: Found | undefined = first; ; ) {
      if (found !== undefined) {
        const { item: { number }, content } = found;
        if (!fits(content) || bytes + content.size > RUN_BYTES) return { entries, last: found };
        const read = await unlessLost(() => content.read(0, content.size, { signal }));
        if (read?.length === content.size) entries.push({ number, bytes: read });
        else miss.push(number);
        bytes += content.size;
      }
      const item = items.next;
      if (item === undefined || !mayJoin(item) || entries.length >= RUN_ITEMS || miss.length >= MAX_ITEMS) return { entries };
      const content = await items.lookUp(item, miss);
      found = content && { item, content };
    }
  }

  /** @returns nothing where it would be no smaller */
  async #make(entries: readonly RunEntry[]): Promise<Answer | undefined> {
    const { answers } = this.#options;
    const run = encodeRun(entries);
    const bytes = await this.#options.compressor()?.compress(run, { level: LEVEL[this.#options.scope] });
    const number = entries[0]?.number;
    return number === undefined || bytes === undefined || bytes.length >= run.length ? undefined : answers.ofBytes(number, bytes, { encoding: 'zstd run', plain: run.length });
  }
}

function mayJoin({ query, wanted, dictionary }: ServedItem): boolean {
  return !query && wanted.kind === 'block' && dictionary === undefined;
}

function fits({ size, compressible }: Content): boolean {
  return compressible && size <= COMPRESSED_UP_TO;
}

function contentOf(bytes: Uint8Array): Content {
  return { size: bytes.length, compressible: true, read: (offset, length) => bytes.subarray(offset, offset + length) };
}
