/** Where a donor gets blocks from: its shelf, then the site and the peers that are connected, at the pace that is allowed. */
import { verifyBlock } from '../dag/block.ts';
import type { Cid } from '../dag/cid.ts';
import { MossError } from '../error.ts';
import type { News } from '../exchange/news.ts';
import { PeerSource } from '../exchange/peer-source.ts';
import { fetchBlocks, type Want } from '../exchange/session.ts';
import { Webseed } from '../exchange/webseed.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { Fetch } from '../ports/fetch.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { Random } from '../ports/random.ts';
import type { Source } from '../ports/source.ts';
import type { Peer } from '../ports/transport.ts';
import type { Shelf } from './shelf.ts';

export interface SupplyOptions {
  readonly url: string;
  /** Paced. */
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly hasher: Hasher;
  readonly random: Random;
  readonly shelf: Shelf;
  /** Shared with the server: what comes here is told to those who wait for it. */
  readonly news: News;
  /** Holds what peers send to the pace that is allowed. */
  readonly pace: { take(bytes: number, options?: AbortOptions): Promise<void> };
  readonly onReceived: (source: Source, bytes: number) => void;
  readonly onBan: (peer: string, error: MossError) => void;
}

/** Requests at the same time to the site: a donor is nobody's first customer. */
const POLITE = 3;

export class Supply {
  readonly #options: SupplyOptions;
  readonly #webseed: Webseed;
  readonly #peers = new Map<string, PeerSource>();
  #self: string | undefined;
  /** Sessions that take further peers. */
  readonly #joined = new Set<(source: Source) => void>();

  constructor(options: SupplyOptions) {
    this.#options = options;
    this.#webseed = new Webseed({ url: options.url, fetch: options.fetch, clock: options.clock, concurrency: POLITE });
  }

  /** The peers that are connected now. @param self the name by which they know this donor */
  connected(peers: readonly Peer[], self: string | undefined): void {
    this.#self = self;
    const { clock, pace } = this.#options;
    const ids = new Set(peers.map(({ id }) => id));
    for (const [id, source] of this.#peers) {
      if (ids.has(id)) continue;
      source.close();
      this.#peers.delete(id);
    }
    for (const peer of peers) {
      if (this.#peers.has(peer.id)) continue;
      // A volunteer's pace holds for all peers, so near ones are treated as far ones.
      const source = new PeerSource({ peer: { id: peer.id, transport: peer.transport, scope: 'swarm', open: (each) => peer.open(each) }, clock, rate: pace, kind: peer.scope });
      this.#peers.set(peer.id, source);
      for (const join of this.#joined) join(source);
    }
  }

  /** Verified blocks, those on the shelf from there. */
  async obtain(wants: readonly { cid: Cid; maxBytes: number }[], options: AbortOptions = {}): Promise<Map<string, Uint8Array>> {
    const { hasher, shelf } = this.#options;
    const got = new Map<string, Uint8Array>();
    const missing: Want[] = [];
    for (const want of wants) {
      const bytes = await shelf.get(want.cid);
      if (bytes === undefined) missing.push(want);
      else got.set(want.cid.toString(), bytes);
    }
    await this.#fetch(missing, { ...options, news: undefined }, async ({ cid }, bytes) => {
      await verifyBlock(cid, bytes, hasher);
      got.set(cid.toString(), bytes);
    });
    return got;
  }

  /** Brings blocks onto the shelf, in an order of this donor's own. */
  async bring(wants: readonly Want[], options: AbortOptions = {}): Promise<void> {
    await this.#fetch(wants, { ...options, news: this.#options.news }, async ({ cid }, bytes) => this.#options.shelf.put(cid, bytes));
  }

  close(): void {
    for (const source of this.#peers.values()) source.close();
    this.#peers.clear();
  }

  /** @param news of what is served once it is here */
  async #fetch(wants: readonly Want[], { signal, news }: AbortOptions & { news: News | undefined }, accept: (want: Want, bytes: Uint8Array) => Promise<void>): Promise<void> {
    if (wants.length === 0) return;
    const { clock, random, onReceived, onBan } = this.#options;
    let joined: ((source: Source) => void) | undefined;
    try {
      await fetchBlocks(wants, {
        sources: [this.#webseed, ...this.#peers.values()],
        clock,
        random,
        signal,
        accept,
        self: this.#self,
        news,
        onBytes: onReceived,
        onBan: (source, error) => {
          if (source.kind !== 'webseed') onBan(source.name, error);
        },
        join: (add) => {
          joined = add;
          this.#joined.add(add);
        },
      });
    } finally {
      if (joined !== undefined) this.#joined.delete(joined);
    }
  }
}
