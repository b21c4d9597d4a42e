/** The items that one stream asked for: admitted or refused, and looked up in their order unless they are cancelled before. */
import type { AbortSignal } from '../ports/abort.ts';
import type { Content } from '../ports/holdings.ts';
import type { PeerScope } from '../ports/transport.ts';
import type { Shared } from './server.ts';
import { badMessage, MAX_ITEMS, type DeltaAsked, type Item } from './wire/message.ts';

export interface ServedItem extends Item {
  wanted: Exclude<Item['wanted'], DeltaAsked>;
  query: boolean;
  /** Whether it is told of later, where it is not here: of a query. */
  follow: boolean;
  dictionary: Uint8Array | undefined;
}

export interface ServedItemsOptions {
  shared: Shared;
  scope: PeerScope;
  signal: AbortSignal;
}

export class ServedItems {
  readonly #options: ServedItemsOptions;
  #lastNumber = -1;
  readonly #waiting = new Map<number, ServedItem>();
  /** Those that are worked on. */
  readonly #starting = new Set<number>();
  #refused: number[] = [];

  constructor(options: ServedItemsOptions) {
    this.#options = options;
  }

  /** Items that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  get hasRefused(): boolean {
    return this.#refused.length > 0;
  }

  /** The one whose turn it is. */
  get next(): ServedItem | undefined {
    const [item] = this.#waiting.values();
    return item;
  }

  /**
   * Whether one item more may be open: else it is refused.
   *
   * @param others items and answers that are open elsewhere
   * @throws MossError `bad-message` when there are more than any peer may have
   */
  admits(number: number, others: number): boolean {
    if (number <= this.#lastNumber) throw badMessage('numbers that do not ascend');
    this.#lastNumber = number;
    const { shared, scope } = this.#options;
    const { limits, upload } = shared;
    if (this.#waiting.size + others >= limits.open) throw badMessage(`more than ${limits.open} open items`);
    if (shared.open < limits.openInAll && upload.allows(scope)) return true;
    this.refuse(number);
    // Who goes on asking although it hears nothing but busy is no peer.
    if (this.#refused.length > limits.open) throw badMessage('a flood of wants');
    return false;
  }

  add(item: ServedItem): void {
    this.#waiting.set(item.number, item);
    this.#options.shared.open++;
  }

  refuse(number: number): void {
    this.#refused.push(number);
  }

  /** As many as a message can have. */
  takeRefused(): number[] {
    return this.#refused.splice(0, MAX_ITEMS);
  }

  cancel(number: number): void {
    if (this.#waiting.delete(number)) this.#options.shared.open--;
    this.#starting.delete(number);
  }

  /** What an item wants; `undefined` where it is not there, refused, or not wanted any more. */
  async lookUp({ number, wanted, maxBytes }: ServedItem, miss: number[]): Promise<Content | undefined> {
    const { shared, scope, signal } = this.#options;
    this.#waiting.delete(number);
    shared.open--;
    // What was asked for long ago may be too much by now.
    if (!shared.upload.allows(scope)) {
      this.refuse(number);
      return undefined;
    }
    this.start(number);
    const content = await shared.options.holdings.find(wanted, { signal });
    if (!this.finish(number)) return undefined;
    if (content !== undefined && content.size <= maxBytes) return content;
    miss.push(number);
    return undefined;
  }

  /** An item is worked on until `finish`. */
  start(number: number): void {
    this.#starting.add(number);
  }

  /** @returns whether it was not cancelled meanwhile */
  finish(number: number): boolean {
    return this.#starting.delete(number);
  }

  /** The stream is over. */
  stop(): void {
    this.#options.shared.open -= this.#waiting.size;
    this.#waiting.clear();
  }
}

/** What waits is looked at when its turn comes, and not before: see `decodeItem`. */
export function waiting(item: Item, how: Pick<ServedItem, 'query' | 'follow' | 'dictionary'>): ServedItem {
  return {
    number: item.number,
    maxBytes: item.maxBytes,
    ...how,
    get wanted() {
      const { wanted } = item;
      if (wanted.kind === 'delta') throw badMessage('a delta without a base');
      return wanted;
    },
  };
}

/** @throws MossError `bad-message` for what is no delta */
export function deltaOf({ wanted }: Item): DeltaAsked {
  if (wanted.kind !== 'delta') throw badMessage('a base without a delta');
  return wanted;
}
