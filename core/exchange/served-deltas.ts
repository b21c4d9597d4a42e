/** Deltas that one stream asked for: while they are made, it goes on with other answers. */
import type { Cid } from '../dag/cid.ts';
import { unlessLost } from './answers.ts';
import type { DeltaMaker, MadeDelta } from './delta-maker.ts';
import type { Shared } from './server.ts';
import type { DeltaAsked, Item } from './wire/message.ts';

export interface DeltaItem extends Item {
  wanted: DeltaAsked;
  base: Cid | undefined;
}

export interface ServedDelta {
  number: number;
  /** Bytes that the delta unpacks to. */
  plain: number;
  delta: MadeDelta;
}

export interface ServedDeltasOptions {
  shared: Shared;
  /** Who asks. */
  peer: string;
  /** One more can be taken. */
  onMade: () => void;
}

/** Deltas that are being made, or are made and not sent yet: who does not read holds little. */
const MOST_MADE = 4;

export class ServedDeltas {
  readonly #maker: DeltaMaker;
  readonly #options: ServedDeltasOptions;
  readonly #waiting = new Map<number, DeltaItem>();
  readonly #underWay = new Set<number>();
  #made: ServedDelta[] = [];

  constructor(maker: DeltaMaker, options: ServedDeltasOptions) {
    this.#maker = maker;
    this.#options = options;
  }

  /** Whether deltas are made of what is held. */
  get isServed(): boolean {
    return this.#options.shared.options.holdings.findEnds !== undefined;
  }

  /** Items that were added, and neither taken nor cancelled. */
  get open(): number {
    return this.#waiting.size + this.#underWay.size + this.#made.length;
  }

  /** Whether `take` gives one. */
  get isReady(): boolean {
    return this.#made.length > 0;
  }

  add(item: DeltaItem): void {
    this.#options.shared.open++;
    this.#waiting.set(item.number, item);
    this.#begin();
  }

  cancel(number: number): void {
    const before = this.open;
    this.#waiting.delete(number);
    this.#underWay.delete(number);
    this.#made = this.#made.filter((each) => each.number !== number);
    this.#options.shared.open -= before - this.open;
    this.#begin();
  }

  /** The next one that is made, or will not be. */
  take(): ServedDelta | undefined {
    const made = this.#made.shift();
    if (made !== undefined) this.#options.shared.open--;
    this.#begin();
    return made;
  }

  /** The stream is over. */
  stop(): void {
    this.#options.shared.open -= this.open;
    this.#waiting.clear();
    this.#underWay.clear();
    this.#made = [];
  }

  #begin(): void {
    for (const [number, item] of this.#waiting) {
      if (this.#underWay.size + this.#made.length >= MOST_MADE) return;
      this.#waiting.delete(number);
      this.#underWay.add(number);
      void this.#make(item);
    }
  }

  async #make(item: DeltaItem): Promise<void> {
    const delta = (await unlessLost(() => this.#delta(item)).catch(() => undefined)) ?? { kind: 'none' };
    if (!this.#underWay.delete(item.number)) return;
    this.#made.push({ number: item.number, plain: item.maxBytes, delta });
    this.#options.onMade();
  }

  /** What is not listed, not possible, or not worth it: all of it is simply not there. */
  async #delta({ wanted, base, maxBytes }: DeltaItem): Promise<MadeDelta> {
    const ends = base && this.#options.shared.options.holdings.findEnds?.(wanted.file, base, wanted.unpacked);
    return ends === undefined || ends.target.size !== maxBytes ? { kind: 'none' } : this.#maker.make(this.#options.peer, ends);
  }
}
