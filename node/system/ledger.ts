/** Where the bytes of a change came from: added up as they come, shown when it is done, and kept for `moss stats`. */
import { join } from 'node:path';
import type { MossEvent } from '../../core/install/event.ts';
import type { SourceKind } from '../../core/ports/source.ts';
import { nodeClock } from '../clock.ts';
import { PeerBook, type TrafficKind } from '../peer/peer-book.ts';
import type { Layout } from '../store/layout.ts';
import type { Change } from './change.ts';

/** Bytes by kind of source; `delta` are those that deltas saved, and `here` those of files that were here already. */
export type LedgerSums = Record<TrafficKind, number>;

export class ByteLedger {
  readonly #sources = new Map<string, { kind: SourceKind; bytes: number }>();

  /** Takes the engine's events, and counts those of bytes. */
  take(event: MossEvent): void {
    if (event.type !== 'received') return;
    const sum = this.#sources.get(event.source) ?? { kind: event.kind, bytes: 0 };
    this.#sources.set(event.source, sum);
    sum.bytes += event.bytes;
  }

  /** Sources by name, most first. */
  get sources(): { source: string; kind: SourceKind; bytes: number }[] {
    return [...this.#sources].map(([source, { kind, bytes }]) => ({ source, kind, bytes })).toSorted((a, b) => b.bytes - a.bytes);
  }

  sums(change: Change | undefined): LedgerSums {
    const sums: LedgerSums = { webseed: 0, lan: 0, swarm: 0, donor: 0, delta: 0, here: 0 };
    for (const { kind, bytes } of this.#sources.values()) sums[kind] += bytes;
    if (change !== undefined) {
      sums.delta = change.plan.deltas > 0 ? Math.max(0, change.whole - change.plan.download) : 0;
      sums.here = bytesHere(change);
    }
    return sums;
  }

  /** Enters it into the book of the root. */
  keep(layout: Layout, change: Change | undefined): void {
    const book = new PeerBook(join(layout.peer, 'peers.sqlite'), () => nodeClock.now());
    try {
      for (const [kind, bytes] of Object.entries(this.sums(change))) book.add('received', kind as TrafficKind, bytes);
      for (const { source, kind, bytes } of this.sources) if (kind !== 'webseed') book.count(source, 'received', bytes);
    } finally {
      book.close();
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
