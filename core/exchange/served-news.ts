/** What one stream is told of the blocks that its peer asked about and that were not here: that one came, or is claimed. */
import type { AbortSignal } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { Claim, News } from './news.ts';
import type { ServedItem } from './served-items.ts';
import { MAX_ITEMS, type Tiding } from './wire/message.ts';

/** Milliseconds for which claims are gathered: many come at once when a crowd begins, and most are beaten at once. */
const GATHERING = 10;

export interface ServedNewsOptions {
  news: News;
  clock: Clock;
  signal: AbortSignal;
  /** A block came that was asked about by this number: it is to be looked up again, since not all that is here is served. */
  onArrived: (number: number, block: string) => void;
  /** There is something to tell. */
  onClaim: () => void;
}

export class ServedNews {
  readonly #options: ServedNewsOptions;
  /** The numbers of what is followed, by the block's id: no more of it is kept. */
  readonly #followed = new Map<string, number>();
  /** Claims that are still to be told, by the item's number. */
  readonly #claims = new Map<number, Claim>();
  /** Whether they are being gathered, and whether they have been. */
  #gathering = false;
  #gathered = false;
  /** Ends the listening. */
  readonly stop: () => void;

  constructor(options: ServedNewsOptions) {
    this.#options = options;
    const { news, onArrived } = options;
    this.stop = news.listen({
      onArrived: (block) => {
        const number = this.#followed.get(block);
        if (number === undefined) return;
        this.#followed.delete(block);
        this.#claims.delete(number);
        onArrived(number, block);
      },
      onClaim: (block, claim) => {
        const number = this.#followed.get(block);
        if (number !== undefined) this.#tell(number, claim);
      },
    });
  }

  get isWaiting(): boolean {
    return this.#gathered && this.#claims.size > 0;
  }

  /** An item was not found. As many are followed as may be open. */
  follow({ number, wanted }: Pick<ServedItem, 'number' | 'wanted'>): void {
    if (wanted.kind !== 'block') return;
    const block = wanted.cid.toString();
    if (this.#followed.size >= MAX_ITEMS && !this.#followed.has(block)) return;
    this.#followed.set(block, number);
    const claim = this.#options.news.claimTo(block);
    if (claim !== undefined) this.#tell(number, claim);
  }

  /** What is to be told now. */
  take(): Tiding[] {
    const tidings = [...this.#claims].map(([number, { weight, round }]) => ({ number, weight, round }));
    this.#claims.clear();
    this.#gathered = false;
    return tidings;
  }

  #tell(number: number, claim: Claim): void {
    this.#claims.set(number, claim);
    if (!this.#gathering) this.#gather().catch(() => undefined);
  }

  async #gather(): Promise<void> {
    this.#gathering = true;
    const { clock, signal, onClaim } = this.#options;
    await clock.sleep(GATHERING, { signal });
    this.#gathering = false;
    this.#gathered = this.#claims.size > 0;
    if (this.#gathered) onClaim();
  }
}
