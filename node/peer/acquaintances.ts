/** Whom to connect to: those on the network, those met before, those that a site names, and what the swarm knows. */
import type { Multiaddr } from '@multiformats/multiaddr';
import { Redial } from '../../core/exchange/redial.ts';
import { repositoryCid } from '../../core/exchange/repository-cid.ts';
import { nodeHasher } from '../hasher.ts';
import { peerOf } from './address.ts';
import { askSites } from './ask-sites.ts';
import { parseMultiaddr, type Host } from './host.ts';
import type { PeerBook } from './peer-book.ts';

export interface AcquaintancesOptions {
  host: Host;
  book: PeerBook;
  /** Whose peers are looked for. */
  repositories: { list: () => { urls: string[] }[]; known: () => Promise<{ fingerprint: Uint8Array }[]> };
  /** Whether the swarm is told that this peer has something of its repositories. */
  announces: boolean;
  /** The first of some is being dialled, or nobody any more. */
  onDialling?: (() => void) | undefined;
}

/** Milliseconds between two rounds: the first ones follow each other quicker, while few are known. */
const ROUNDS = [0, 5000, 30_000];
const ROUND = 5 * 60_000;
/** Peers of the book that are tried in a round, and peers that are enough. */
const FROM_BOOK = 16;
const ENOUGH = 16;
/** Milliseconds for one search in the swarm. */
const SEARCH = 30_000;

export class Acquaintances {
  readonly #options: AcquaintancesOptions;
  readonly #stop = new AbortController();
  readonly #redial = new Redial();
  readonly #timers: NodeJS.Timeout[] = [];
  /** Dials, and questions to sites about whom to dial. */
  #open = 0;

  constructor(options: AcquaintancesOptions) {
    this.#options = options;
  }

  get isDialling(): boolean {
    return this.#open > 0;
  }

  start(): void {
    for (const delay of ROUNDS) this.#timers.push(setTimeout(() => void this.round(), delay));
    this.#timers.push(setInterval(() => void this.round(), ROUND));
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#stop.abort();
  }

  /** Addresses of one peer, from anywhere: connects to it, unless it is connected or was tried there just now. */
  found(addresses: readonly Multiaddr[]): void {
    const { host } = this.#options;
    const id = addresses[0] && peerOf(addresses[0]);
    if (id === undefined || id === host.id || this.#stop.signal.aborted) return;
    if (host.isConnected(id)) {
      this.#redial.reached(id);
      return;
    }
    const due = new Set(this.#redial.due(id, addresses.map(String), performance.now()));
    if (due.size > 0) void this.#count(host.dial(addresses.filter((address) => due.has(address.toString()))));
  }

  /** Looks everywhere once. */
  async round(): Promise<void> {
    const { host, book } = this.#options;
    if (host.peers.length >= ENOUGH) return;
    for (const { addresses } of book.reachable.slice(0, FROM_BOOK)) this.tryAll(addresses);
    const asked = askSites(this.#options.repositories.list(), { signal: this.#stop.signal, onPeers: (addresses) => this.tryAll(addresses) });
    await Promise.all([this.#count(asked), this.#askSwarm()]);
  }

  async #count(work: Promise<void>): Promise<void> {
    const { onDialling } = this.#options;
    if (this.#open++ === 0) onDialling?.();
    await work.catch(() => undefined);
    if (--this.#open === 0) onDialling?.();
  }

  /** Addresses from elsewhere, of any peers. */
  tryAll(addresses: readonly string[]): void {
    const parsed = addresses.flatMap((text) => {
      try {
        return [parseMultiaddr(text)];
      } catch {
        return [];
      }
    });
    for (const group of Map.groupBy(parsed, peerOf).values()) this.found(group);
  }

  /** One record for this peer and each repository; never one for a package or a file. */
  async #askSwarm(): Promise<void> {
    const { host, repositories, announces } = this.#options;
    if (host.scope !== 'swarm') return;
    for (const { fingerprint } of await repositories.known()) {
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(SEARCH)]);
      const cid = await repositoryCid(fingerprint, nodeHasher);
      try {
        for await (const addresses of host.findProviders(cid, { signal })) this.found(addresses);
        if (announces) await host.provide(cid, { signal });
      } catch {
        // Nobody else is there yet: the next round asks again.
      }
    }
  }
}
