/** One time of giving, from connecting to the moment that it has to end: serves from the shelf, and keeps it filled. */
import { MossError } from '../error.ts';
import { abortController } from '../exchange/abort-controller.ts';
import { webMetadataFetcher } from '../exchange/metadata-fetcher.ts';
import { News } from '../exchange/news.ts';
import { Redial } from '../exchange/redial.ts';
import { ExchangeServer } from '../exchange/server.ts';
import type { Want } from '../exchange/session.ts';
import { decodeHex } from '../trust/text.ts';
import type { Account } from './account.ts';
import { readCatalog, type Catalog, type Obtain } from './catalog.ts';
import { chooseByPopularity } from './choice.ts';
import type { DonorDeps } from './deps.ts';
import type { DonorEvent } from './donor.ts';
import { failureOf } from './failure.ts';
import { findPeers } from './meeting-points.ts';
import type { DonorNetwork } from './network.ts';
import { pacedFetch } from './paced-fetch.ts';
import { planHoldings, type HoldingPlan } from './plan.ts';
import type { DonorSettings } from './settings.ts';
import type { Shelf } from './shelf.ts';
import type { DonorPeer, DonorState, DonorStatus, HeldPackage } from './status.ts';
import { Supply } from './supply.ts';

export interface WorkOptions extends DonorDeps {
  readonly shelf: Shelf;
  readonly account: Account;
  readonly seed: Uint8Array;
  /** As they are now. */
  readonly settings: () => DonorSettings;
  readonly onState: (state: DonorState) => void;
  readonly onEvent: (event: DonorEvent) => void;
}

/** Milliseconds between two looks for a new revision; and after a failure, twice as long each time up to that. */
const REFRESH = 15 * 60_000;
const RETRY = 2000;
/** Milliseconds between two looks for peers: at first, while few are known, and later. */
const MEET = [0, 300, 1000, 2000, 4000, 8000, 15_000];
const MEET_LATER = 30_000;
/** Blocks that are fetched in one session: each is an object, where a list of them is not. */
const FILLED = 4096;
/** Streams of all peers and of one, and answers that are sent at the same time. */
export const SLOTS = { streams: 64, streamsPerPeer: 4, turns: 4, openInAll: 8192 };

export class Work {
  readonly #options: WorkOptions;
  readonly #stop = abortController();
  readonly #server: ExchangeServer;
  readonly #supply: Supply;
  readonly #redial = new Redial();
  /** The list of packages itself is not kept: it may be large. */
  #catalog: Pick<Catalog, 'root' | 'rootCid' | 'fingerprint'> | undefined;
  #fingerprint: string | undefined;
  #plan: HoldingPlan | undefined;
  #held: { plan: HoldingPlan; changes: number; packages: readonly HeldPackage[] } | undefined;
  #planAgain = false;
  /** Ends the wait for the next look for a revision. */
  #refresh = abortController();
  network: DonorNetwork | undefined;

  constructor(options: WorkOptions) {
    const { shelf, account, clock, fetch, hasher, random, onEvent } = options;
    this.#options = options;
    const news = new News(clock);
    this.#server = new ExchangeServer({
      holdings: shelf,
      clock,
      news,
      limits: SLOTS,
      upload: account.allowance,
      onServed: ({ id }, bytes) => account.sent(id, bytes),
    });
    this.#supply = new Supply({
      url: options.settings().repository,
      fetch: pacedFetch(fetch, (bytes) => account.allowance.takeIn(bytes, this.#stop)),
      clock,
      hasher,
      random,
      shelf,
      news,
      pace: { take: (bytes, each) => account.allowance.takeIn(bytes, each) },
      onReceived: ({ name }, bytes) => account.received(name, bytes),
      onBan: (peer, error) => {
        onEvent({ type: 'banned', peer, failure: failureOf(error) });
        this.network?.ban(peer).catch(() => undefined);
      },
    });
  }

  /** Until `end` is called. */
  async run(): Promise<void> {
    const { openNetwork, storage } = this.#options;
    if (this.#stop.signal.aborted) return;
    const network = await openNetwork({ records: storage.records, handler: this.#server.handle, onChange: () => this.#supply.connected(this.network?.peers ?? [], this.network?.id) });
    this.network = network;
    this.#supply.connected(network.peers, network.id);
    try {
      if (this.#stop.signal.aborted) return;
      await Promise.all([this.#keepUp(), this.#meet()]);
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    } finally {
      this.#server.close(new MossError('aborted', 'the donor was stopped'));
      this.#supply.close();
      this.network = undefined;
      await network.close();
    }
  }

  end(): void {
    this.#stop.abort(new MossError('aborted', 'the donor has to pause'));
    this.#refresh.abort();
  }

  /** The quota is another one. */
  replan(): void {
    this.#planAgain = true;
    this.#refresh.abort();
  }

  /** A block was lost: it is fetched again. */
  refill(): void {
    this.#refresh.abort();
  }

  get peers(): DonorPeer[] {
    return (this.network?.peers ?? []).map(({ id, transport, direction }) => {
      const { sent, received } = this.#options.account.of(id);
      return { id, transport, direction, sent, received };
    });
  }

  get view(): Pick<DonorStatus, 'repository' | 'held' | 'filling'> {
    const { shelf, account, clock } = this.#options;
    const [catalog, plan] = [this.#catalog, this.#plan];
    if (catalog === undefined || plan === undefined) return { held: [] };
    return {
      repository: { name: catalog.root.name, revision: catalog.root.revision, fingerprint: catalog.fingerprint },
      held: this.#heldPackages(plan),
      filling: { done: shelf.stored, total: plan.blocks.bytes, rate: account.rateIn(clock.now()) },
    };
  }

  /** The same list as long as nothing changed: it is asked for each second. */
  #heldPackages(plan: HoldingPlan): readonly HeldPackage[] {
    const { shelf } = this.#options;
    if (this.#held?.plan !== plan || this.#held.changes !== shelf.changes) {
      this.#held = { plan, changes: shelf.changes, packages: plan.packages.map((each, number) => ({ ...each, held: shelf.heldOf(number) })) };
    }
    return this.#held.packages;
  }

  /** Brings the metadata up to date and the shelf in order, again and again. */
  async #keepUp(): Promise<void> {
    const { clock, onState } = this.#options;
    let wait = RETRY;
    for (;;) {
      this.#refresh = abortController();
      let next = REFRESH;
      try {
        await this.#bringUp();
        wait = RETRY;
        onState({ state: 'serving' });
      } catch (error) {
        this.#stop.signal.throwIfAborted();
        onState({ state: 'failing', failure: failureOf(error) });
        next = wait;
        wait = Math.min(2 * wait, REFRESH);
      }
      await clock.sleep(next, { signal: this.#refresh.signal }).catch(() => undefined);
      this.#stop.signal.throwIfAborted();
    }
  }

  async #bringUp(): Promise<void> {
    const { hasher, clock, verifier, decompressor, fetch, storage, shelf, seed, settings, choose = chooseByPopularity } = this.#options;
    const { repository, fingerprint, quota } = settings();
    const { signal } = this.#stop;
    const obtain: Obtain = (wants) => this.#supply.obtain(wants, { signal });
    const fetcher = webMetadataFetcher({ url: repository, fetch, clock });
    const catalog = await readCatalog({ records: storage.records, fetcher, verifier, hasher, clock, decompressor, obtain, signal, onTrusted: (each) => (this.#fingerprint = each) }, fingerprint);
    const isOther = this.#plan === undefined || this.#planAgain || catalog.rootCid.toString() !== this.#catalog?.rootCid.toString();
    let read: ReadonlyMap<string, Uint8Array> = new Map();
    if (isOther) {
      this.#planAgain = false;
      const order = await choose(catalog.entries, { quota, seed, hasher });
      const { blocks, packages, ...planned } = await planHoldings(catalog, order, { quota, obtain });
      read = planned.read;
      this.#plan = { blocks, packages };
    }
    const { root, rootCid, fingerprint: keys } = catalog;
    shelf.repositories = [decodeHex(keys) ?? new Uint8Array()];
    this.#catalog = { root, rootCid, fingerprint: keys };
    if (this.#plan !== undefined) await shelf.list(this.#plan.blocks);
    await this.#fill(read);
    await storage.blocks.sync();
  }

  /** Brings what is missing, some at a time. @param read blocks that are in memory already */
  async #fill(read: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { shelf, onState } = this.#options;
    for (let from = 0; ; ) {
      const { blocks, next } = shelf.missing(from, FILLED);
      if (blocks.length === 0) return;
      if (from === 0) onState({ state: 'filling' });
      const wants: Want[] = [];
      for (const { cid, size } of blocks) {
        const known = read.get(cid.toString());
        if (known === undefined) wants.push({ cid, maxBytes: size });
        else await shelf.put(cid, known);
      }
      await this.#supply.bring(wants, { signal: this.#stop.signal });
      from = next;
    }
  }

  /** Finds peers, and connects to as many as there is room for. */
  async #meet(): Promise<void> {
    const { clock, fetch, hasher, settings } = this.#options;
    let found: readonly (readonly string[])[] = [];
    for (let round = 0; ; round++) {
      await clock.sleep(MEET[round] ?? MEET_LATER, this.#stop);
      const { network } = this;
      if (network === undefined) continue;
      for (const { id } of network.peers) this.#redial.reached(id);
      if (network.peers.length >= network.most) continue;
      const told = await findPeers(settings().repository, this.#fingerprint, { fetch, clock, hasher, signal: this.#stop.signal });
      // A site that says nothing may be gone: those that it told of before need not be.
      if (told.length > 0) found = told;
      this.#stop.signal.throwIfAborted();
      await Promise.all(found.map((addresses) => this.#dial(network, addresses)));
    }
  }

  async #dial(network: DonorNetwork, addresses: readonly string[]): Promise<void> {
    const id = addresses[0]?.split('/p2p/').at(-1) ?? '';
    if (id === network.id || network.peers.length >= network.most || network.peers.some((peer) => peer.id === id)) return;
    const due = this.#redial.due(id, addresses, this.#options.clock.now());
    if (due.length > 0) await network.dial(due).catch(() => undefined);
  }
}
