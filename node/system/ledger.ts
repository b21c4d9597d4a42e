/** Where the bytes of a change came from: added up as they come, shown when it is done, and kept for `moss stats`. */
import { join } from 'node:path';
import { EMPTY_LEDGER, mostFirst, received, sumsOf, type LedgerEntry, type LedgerSums } from '../../core/exchange/ledger.ts';
import type { MossEvent } from '../../core/install/event.ts';
import { nodeClock } from '../clock.ts';
import { PeerBook, type TrafficKind } from '../peer/peer-book.ts';
import type { Layout } from '../store/layout.ts';
import type { Change } from './change.ts';

export class ByteLedger {
  #ledger = EMPTY_LEDGER;
  #saved = 0;
  #resumed = 0;
  #kept = false;

  /** Takes the engine's events, and counts those of bytes. */
  take(event: MossEvent): void {
    if (event.type === 'received') this.#ledger = received(this.#ledger, event.source, event.kind, event.bytes);
    else if (event.type === 'saved') this.#saved += event.bytes;
    else if (event.type === 'resumed') this.#resumed += event.bytes;
  }

  /** Sources by name, most first. */
  get sources(): LedgerEntry[] {
    return mostFirst(this.#ledger);
  }

  /** @param change what was done; `undefined` where it failed, and nothing can be said of what need not come */
  sums(change: Change | undefined): LedgerSums {
    if (change === undefined) return sumsOf(this.#ledger);
    const planned = change.plan.deltas > 0 ? Math.max(0, change.whole - change.plan.download) : 0;
    return sumsOf(this.#ledger, { delta: Math.max(0, planned + this.#saved), here: bytesHere(change) + this.#resumed });
  }

  /** Enters it into the book of the root, once; where nothing came, there is nothing to enter. */
  keep(layout: Layout, change: Change | undefined): void {
    const sums = Object.entries(this.sums(change)).filter(([, bytes]) => bytes > 0);
    if (this.#kept || sums.length === 0) return;
    this.#kept = true;
    const book = new PeerBook(join(layout.peer, 'peers.sqlite'), () => nodeClock.now());
    try {
      for (const [kind, bytes] of sums) book.add('received', kind as TrafficKind, bytes);
      for (const { source, kind, bytes } of this.sources) if (kind !== 'webseed') book.count(source, 'received', bytes);
    } finally {
      book.close();
    }
  }

  /** The same for what failed: it came all the same. What hinders this, such as a full disk, has hindered the change before. */
  keepOfFailed(layout: Layout): void {
    try {
      this.keep(layout, undefined);
    } catch {
      // The error of the change is the one that counts.
    }
  }
}

/** Of the packages that are new or changed: bytes of files that need not be fetched. */
function bytesHere({ resolution, loaded, plan }: Change): number {
  const fresh = [...resolution.install, ...[...resolution.upgrade, ...resolution.downgrade].map(({ to }) => to)];
  const sizes = new Map<string, number>();
  for (const { name } of fresh) {
    for (const { table } of loaded.get(name)?.parts ?? []) for (const { id, size } of table.files) sizes.set(id, size);
  }
  let all = 0;
  for (const size of sizes.values()) all += size;
  return Math.max(0, all - plan.bytes);
}
