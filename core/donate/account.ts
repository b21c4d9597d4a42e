/** What a donor gave and got: by peer since it was started, and in sum for ever. */
import { Rate } from '../exchange/rate.ts';
import type { Clock } from '../ports/clock.ts';
import type { MetadataStore } from '../ports/metadata.ts';
import { Allowance } from './allowance.ts';
import { inMonth, monthOf, readUsage, writeUsage, type Usage } from './usage.ts';

/** Peers whose bytes are remembered. */
const REMEMBERED = 4096;

export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

const NONE: Traffic = { sent: 0, received: 0 };

export class Account {
  readonly allowance: Allowance;
  readonly #records: MetadataStore;
  readonly #clock: Clock;
  readonly #traffic = new Map<string, Traffic>();
  #out = new Rate();
  #in = new Rate();
  #usage: Usage = { month: '', sent: 0, given: 0, helped: 0 };
  #saved: Usage | undefined;

  constructor(records: MetadataStore, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
    this.allowance = new Allowance({ clock, sent: () => this.sentIn(monthOf(clock.now())) });
  }

  get usage(): Usage {
    return this.#usage;
  }

  async open(): Promise<void> {
    this.#usage = await readUsage(this.#records, monthOf(this.#clock.now()));
    this.#saved = this.#usage;
  }

  async save(): Promise<void> {
    if (this.#usage === this.#saved) return;
    this.#saved = this.#usage;
    await writeUsage(this.#records, this.#usage);
  }

  clear(): void {
    this.#usage = { month: '', sent: 0, given: 0, helped: 0 };
    this.#traffic.clear();
    this.#out = new Rate();
    this.#in = new Rate();
  }

  sentIn(month: string): number {
    return inMonth(this.#usage, month).sent;
  }

  of(peer: string): Traffic {
    return this.#traffic.get(peer) ?? NONE;
  }

  sent(peer: string, bytes: number): void {
    const now = this.#clock.now();
    const before = this.of(peer);
    const usage = inMonth(this.#usage, monthOf(now));
    this.#usage = { ...usage, sent: usage.sent + bytes, given: usage.given + bytes, helped: usage.helped + (before.sent === 0 ? 1 : 0) };
    this.allowance.settle(bytes);
    this.#out.add(bytes, now);
    this.#note(peer, { ...before, sent: before.sent + bytes });
  }

  received(source: string, bytes: number): void {
    const before = this.of(source);
    this.#in.add(bytes, this.#clock.now());
    this.#note(source, { ...before, received: before.received + bytes });
  }

  /** Bytes a second that go out, and that come in. */
  rate(now: number): number {
    return this.#out.perSecond(now);
  }

  rateIn(now: number): number {
    return this.#in.perSecond(now);
  }

  #note(peer: string, traffic: Traffic): void {
    if (this.#traffic.size >= REMEMBERED && !this.#traffic.has(peer)) this.#traffic.clear();
    this.#traffic.set(peer, traffic);
  }
}
