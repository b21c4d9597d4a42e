/** The donor: one repository, held and served as far as the settings and the moment allow. */
import { MossError } from '../error.ts';
import { abortController } from '../exchange/abort-controller.ts';
import type { AbortSignal } from '../ports/abort.ts';
import { ANCHOR, fileOf, forgetLastSeen } from '../trust/local.ts';
import { TOP_ROLES } from '../trust/metadata.ts';
import { encodeUtf8, decodeUtf8 } from '../trust/text.ts';
import { Account } from './account.ts';
import { BEST_CONDITIONS, idleReason, type Conditions, type IdleReason } from './conditions.ts';
import type { Donor, DonorEvent, DonorListener } from './donor.ts';
import type { DonorDeps } from './deps.ts';
import { failureOf } from './failure.ts';
import { IDENTITY } from './network.ts';
import type { DonorSettings } from './settings.ts';
import { Shelf } from './shelf.ts';
import { OFF, type DonorState, type DonorStatus } from './status.ts';
import { monthOf, USAGE } from './usage.ts';
import { Work } from './work.ts';

/** Milliseconds between two looks at the clock: for hours, months, rates, and what is shown. */
const LOOK = 1000;
/** Looks between two writings of what was given. */
const WRITE = 5;
/** Milliseconds for connections to close in good order. */
const CLOSING = 800;
/** Whose blocks and metadata these are: another repository starts anew. */
const REPOSITORY = 'donor-repository';
const SEED = 'donor-seed';

/** One start, until it is stopped. */
interface Run {
  readonly stop: ReturnType<typeof abortController>;
  readonly done: Promise<void>;
}

export class RepositoryDonor implements Donor {
  readonly #deps: DonorDeps;
  readonly #listeners = new Set<DonorListener>();
  readonly #shelf: Shelf;
  readonly #account: Account;
  #settings: DonorSettings | undefined;
  #conditions: Conditions = BEST_CONDITIONS;
  #run: Run | undefined;
  #work: Work | undefined;
  #state: DonorState = { state: 'off' };
  #status: DonorStatus = OFF;
  /** Ends the present wait for another moment. */
  #wake: (() => void) | undefined;
  #ending: Promise<void> = Promise.resolve();

  constructor(deps: DonorDeps) {
    const { storage, clock, hasher } = deps;
    this.#deps = deps;
    this.#account = new Account(storage.records, clock);
    this.#shelf = new Shelf({ blocks: storage.blocks, hasher, onLost: () => this.#work?.refill() });
  }

  get status(): DonorStatus {
    return this.#status;
  }

  subscribe(listener: DonorListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(settings: DonorSettings, conditions: Conditions): Promise<void> {
    this.observe(conditions);
    if (this.#run !== undefined) {
      this.apply(settings);
      return;
    }
    await this.#ending;
    this.#settings = settings;
    this.#account.allowance.set(settings);
    const stop = abortController();
    this.#run = { stop, done: this.#live(stop.signal).catch((error: unknown) => this.#fail(error)) };
    this.#set({ state: 'connecting' });
  }

  apply(settings: DonorSettings): void {
    const before = this.#settings;
    if (this.#run === undefined || before === undefined) return;
    this.#settings = settings;
    this.#account.allowance.set(settings);
    if (settings.repository !== before.repository || settings.fingerprint !== before.fingerprint) this.#work?.end();
    else if (settings.quota !== before.quota) this.#work?.replan();
    this.#look();
  }

  observe(conditions: Conditions): void {
    this.#conditions = conditions;
    this.#look();
  }

  async stop(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return this.#ending;
    this.#run = undefined;
    run.stop.abort(new MossError('aborted', 'the donor was stopped'));
    this.#work?.end();
    this.#wake?.();
    this.#ending = Promise.race([run.done, this.#deps.clock.sleep(CLOSING)]).then(() => this.#set({ state: 'off' }));
    await this.#ending;
  }

  async deleteEverything(): Promise<void> {
    const done = this.#run?.done;
    await this.stop();
    await done;
    await this.#forget();
    for (const name of [USAGE, SEED, IDENTITY, REPOSITORY]) await this.#deps.storage.records.delete(name);
    this.#account.clear();
    this.#status = OFF;
    this.#set({ state: 'off' });
  }

  /** Until it is stopped: works while it may, waits while it may not. */
  async #live(signal: AbortSignal): Promise<void> {
    await this.#account.open();
    const ticking = this.#tick(signal);
    ticking.catch(() => undefined);
    try {
      while (!signal.aborted) {
        const reason = this.#reason();
        if (reason !== undefined) {
          this.#set({ state: 'idle', reason });
          await this.#moment();
        } else await this.#serve(signal);
      }
    } finally {
      await this.#account.save();
    }
  }

  async #serve(signal: AbortSignal): Promise<void> {
    const settings = this.#settings;
    if (settings === undefined) return;
    this.#set({ state: 'connecting' });
    await this.#own(settings);
    const work = new Work({
      ...this.#deps,
      shelf: this.#shelf,
      account: this.#account,
      seed: await this.#seed(),
      settings: () => this.#settings ?? settings,
      onState: (state) => this.#set(state),
      onEvent: (event) => this.#tell(event),
    });
    this.#work = work;
    if (signal.aborted) work.end();
    try {
      await work.run();
    } catch (error) {
      if (signal.aborted) return;
      this.#set({ state: 'failing', failure: failureOf(error) });
      await this.#deps.clock.sleep(5 * LOOK, { signal }).catch(() => undefined);
    } finally {
      this.#work = undefined;
    }
  }

  /** What the store holds is of this repository, or goes. */
  async #own({ repository, fingerprint }: DonorSettings): Promise<void> {
    const { records } = this.#deps.storage;
    const name = `${repository} ${fingerprint ?? ''}`;
    const before = await records.get(REPOSITORY);
    if (before !== undefined && decodeUtf8(before) === name) return;
    await this.#forget();
    await records.put(REPOSITORY, encodeUtf8(name));
  }

  async #forget(): Promise<void> {
    const { records } = this.#deps.storage;
    await this.#shelf.clear();
    await forgetLastSeen(records);
    for (const name of [ANCHOR, ...TOP_ROLES.map(fileOf)]) await records.delete(name);
  }

  async #seed(): Promise<Uint8Array> {
    const { storage, random } = this.#deps;
    const kept = await storage.records.get(SEED);
    if (kept?.length === 32) return kept;
    const seed = random.bytes(32);
    await storage.records.put(SEED, seed);
    return seed;
  }

  #reason(): IdleReason | undefined {
    const { clock, minuteOfDay } = this.#deps;
    const settings = this.#settings;
    if (settings === undefined) return undefined;
    const now = clock.now();
    const { allowance } = this.#account;
    const month = allowance.isUsedUp ? settings.month : this.#account.sentIn(monthOf(now));
    return idleReason(settings, this.#conditions, { now, minute: minuteOfDay(), month });
  }

  /** Something may be otherwise by now. */
  #look(): void {
    if (this.#run === undefined) return;
    if (this.#reason() === undefined) this.#wake?.();
    else if (this.#work !== undefined) this.#work.end();
    else if (this.#state.state === 'idle') this.#wake?.();
    this.#show();
  }

  async #tick(signal: AbortSignal): Promise<void> {
    for (let count = 1; !signal.aborted; count++) {
      await this.#deps.clock.sleep(LOOK, { signal });
      this.#look();
      if (count % WRITE === 0) await this.#account.save();
    }
  }

  #moment(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#run === undefined) resolve();
    });
  }

  #fail(error: unknown): void {
    this.#run = undefined;
    this.#set({ state: 'failing', failure: failureOf(error) });
  }

  #set(state: DonorState): void {
    // What ends later than it was told to has nothing to say any more.
    this.#state = this.#run === undefined && state.state !== 'failing' ? { state: 'off' } : state;
    this.#show();
  }

  #show(): void {
    const settings = this.#settings;
    const { clock } = this.#deps;
    const now = clock.now();
    const isOff = this.#state.state === 'off';
    const peers = isOff ? [] : (this.#work?.peers ?? []);
    const { repository, filling, held } = this.#work?.view ?? this.#status;
    const next: DonorStatus = {
      ...this.#state,
      repository,
      id: isOff ? undefined : this.#work?.network?.id,
      addresses: isOff ? [] : (this.#work?.network?.addresses ?? []),
      rate: isOff ? 0 : this.#account.rate(now),
      limit: settings?.rate ?? 0,
      given: this.#account.usage.given,
      month: this.#account.sentIn(monthOf(now)),
      allowance: settings?.month ?? 0,
      stored: this.#shelf.stored,
      quota: settings?.quota ?? 0,
      peers,
      helped: this.#account.usage.helped,
      held,
      filling: this.#state.state === 'off' ? undefined : filling,
    };
    if (isSame(this.#status, next)) return;
    this.#status = next;
    this.#tell({ type: 'status', status: next });
  }

  #tell(event: DonorEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** By value: a listener is told nothing twice. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size && left.every(([key, value]) => right.has(key) && isSame(value, right.get(key)));
}
