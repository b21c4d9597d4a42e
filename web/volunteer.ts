/**
 * A person who may give, or not: consent, settings that outlast the page, and the engine, which is loaded once both are
 * there. The donate page and the element show what this says, and tell it what the person does.
 */
import { createStore, del, get, set, type UseStore } from 'idb-keyval';
import type { Conditions } from '../core/donate/conditions.ts';
import { readSettings, type DonorSettings } from '../core/donate/settings.ts';
import { OFF, type DonorFailure, type DonorStatus } from '../core/donate/status.ts';
import type { Engine } from './engine.ts';
import { watchConditions } from './platform/conditions.ts';
import { standForElection } from './platform/election.ts';

export type Phase =
  /** Nobody agreed yet, or everything was deleted. */
  | 'asking'
  /** The engine is being loaded. */
  | 'starting'
  | 'running'
  /** Agreed once, and stopped since: nothing is loaded. */
  | 'stopped';

export interface VolunteerView {
  readonly phase: Phase;
  readonly settings: DonorSettings;
  readonly status: DonorStatus;
  /** Why the engine could not be loaded or started. */
  readonly failure?: DonorFailure | undefined;
}

export interface VolunteerOptions {
  readonly loadEngine: () => Promise<Engine>;
  /** What is proposed to who has not agreed yet. */
  readonly proposed: DonorSettings;
  /** Whether consent is only for `proposed.repository`: an element is not the place to choose another. */
  readonly bound: boolean;
}

interface Stored {
  readonly running: boolean;
  readonly settings: unknown;
}

const KEY = 'volunteer';

export class Volunteer {
  readonly #options: VolunteerOptions;
  readonly #listeners = new Set<(view: VolunteerView) => void>();
  #view: VolunteerView;
  #engine: Engine | undefined;
  #conditions: Conditions = { online: true, elected: false };
  #endWatching: (() => void)[] = [];
  #store: UseStore | undefined;
  /** One thing after the other: a stop waits for the start before it. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: VolunteerOptions) {
    this.#options = options;
    this.#view = { phase: 'asking', settings: options.proposed, status: OFF };
  }

  /** As it was left: asks nothing of the network where nobody agreed. */
  static async open(options: VolunteerOptions): Promise<Volunteer> {
    const volunteer = new Volunteer(options);
    const stored = await volunteer.#read();
    if (stored !== undefined) volunteer.#tell({ phase: 'stopped', settings: stored.settings });
    if (stored?.running === true) void volunteer.start();
    return volunteer;
  }

  get view(): VolunteerView {
    return this.#view;
  }

  /** Calls at once, and whenever something changes. @returns a function that ends it */
  subscribe(listener: (view: VolunteerView) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#view);
    return () => this.#listeners.delete(listener);
  }

  /** The person agrees: to these settings, of this repository, on this site. */
  async agree(settings: DonorSettings): Promise<void> {
    this.#tell({ settings });
    await this.start();
  }

  async start(): Promise<void> {
    this.#tell({ phase: 'starting', failure: undefined });
    await this.#write(true);
    await this.#next(() => this.#begin());
  }

  /** Other limits, another repository, or a pause. */
  async change(changes: Partial<DonorSettings>): Promise<void> {
    this.#tell({ settings: { ...this.#view.settings, ...changes } });
    this.#engine?.donor.apply(this.#view.settings);
    if (this.#view.phase !== 'asking') await this.#write(this.#isOn);
  }

  /** Nothing is sent once it resolves. What is held stays. */
  async stop(): Promise<void> {
    await Promise.all([this.#write(false), this.#next(() => this.#end())]);
    this.#tell({ phase: 'stopped', status: { ...this.#view.status, state: 'off', rate: 0, peers: [] } as DonorStatus });
  }

  /** Stops, and leaves nothing on this machine: no block, no setting, no consent. */
  async deleteEverything(): Promise<void> {
    await this.#next(async () => {
      // Also where it was stopped: the files are known to the engine alone.
      this.#engine ??= await this.#options.loadEngine();
      await this.#engine.donor.deleteEverything();
      await this.#engine.erase();
      await this.#end();
    });
    await del(KEY, this.#opened).catch(() => undefined);
    this.#tell({ phase: 'asking', settings: this.#options.proposed, status: OFF, failure: undefined });
  }

  get #isOn(): boolean {
    return this.#view.phase === 'starting' || this.#view.phase === 'running';
  }

  async #begin(): Promise<void> {
    if (this.#engine !== undefined) return;
    try {
      const engine = await this.#options.loadEngine();
      const answered = Promise.withResolvers<void>();
      this.#endWatching = [
        engine.donor.subscribe((event) => {
          if (event.type === 'status') this.#tell({ status: event.status });
        }),
        watchConditions((conditions) => this.#observe(conditions)),
        standForElection((elected) => {
          this.#observe({ elected });
          answered.resolve();
        }),
      ];
      // Until it is known, nobody is told that another tab gives.
      await answered.promise;
      this.#engine = engine;
      await engine.donor.start(this.#view.settings, this.#conditions);
      engine.donor.observe(this.#conditions);
      this.#tell({ phase: 'running', status: engine.donor.status });
    } catch (error) {
      await this.#end();
      this.#tell({ phase: 'stopped', failure: failureOf(error) });
    }
  }

  async #end(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    await engine?.donor.stop();
    for (const end of this.#endWatching.splice(0)) end();
    engine?.release();
    this.#conditions = { online: true, elected: false };
  }

  #observe(part: Partial<Conditions>): void {
    this.#conditions = { ...this.#conditions, ...part };
    this.#engine?.donor.observe(this.#conditions);
  }

  #tell(part: Partial<VolunteerView>): void {
    this.#view = { ...this.#view, ...part };
    for (const listener of this.#listeners) listener(this.#view);
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  get #opened(): UseStore {
    this.#store ??= createStore('moss-volunteer', 'settings');
    return this.#store;
  }

  async #read(): Promise<{ running: boolean; settings: DonorSettings } | undefined> {
    try {
      const stored: Stored | undefined = await get(KEY, this.#opened);
      if (stored === undefined) return undefined;
      const settings = readSettings(stored.settings);
      const { proposed, bound } = this.#options;
      if (!bound) return { running: stored.running, settings };
      return settings.repository === proposed.repository ? { running: stored.running, settings: lower(settings, proposed) } : undefined;
    } catch {
      // Storage that is refused, or settings of another version: then it is asked again.
      return undefined;
    }
  }

  async #write(running: boolean): Promise<void> {
    const stored: Stored = { running, settings: this.#view.settings };
    // Where nothing can be kept, it is asked again next time.
    await set(KEY, stored, this.#opened).catch(() => undefined);
  }
}

/** What was agreed to, or less, where the site asks for less by now; never more. */
function lower(agreed: DonorSettings, proposed: DonorSettings): DonorSettings {
  return { ...agreed, rate: least(agreed.rate, proposed.rate), month: least(agreed.month, proposed.month), quota: Math.min(agreed.quota, proposed.quota) };
}

/** 0 is no limit. */
function least(a: number, b: number): number {
  return a === 0 || b === 0 ? a + b : Math.min(a, b);
}

function failureOf(error: unknown): DonorFailure {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'io';
  return { code, message: error instanceof Error ? error.message : String(error) };
}
