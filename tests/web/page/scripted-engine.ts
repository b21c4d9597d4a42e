/**
 * An engine whose donor tells what a test wants it to tell, so that every state of the page can be looked at. What a
 * donor really does is tested with the real one.
 */
import type { Donor, DonorListener } from '../../../core/donate/donor.ts';
import { idleReason, type Conditions } from '../../../core/donate/conditions.ts';
import type { DonorSettings } from '../../../core/donate/settings.ts';
import { OFF, type DonorStatus } from '../../../core/donate/status.ts';
import type { Engine } from '../../../web/engine.ts';

class ScriptedDonor implements Donor {
  status: DonorStatus = OFF;
  readonly calls: string[] = [];
  settings: DonorSettings | undefined;
  conditions: Conditions | undefined;
  /** What it tells while nothing holds it back. */
  #active: DonorStatus = { ...OFF, state: 'connecting' };
  readonly #listeners = new Set<DonorListener>();

  subscribe(listener: DonorListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  async start(settings: DonorSettings, conditions: Conditions): Promise<void> {
    this.calls.push('start');
    [this.settings, this.conditions] = [settings, conditions];
    this.#decide();
  }
  apply(settings: DonorSettings): void {
    this.calls.push('apply');
    this.settings = settings;
    this.#decide();
  }
  observe(conditions: Conditions): void {
    this.conditions = conditions;
    this.#decide();
  }
  async stop(): Promise<void> {
    this.calls.push('stop');
    this.settings = undefined;
    this.tell({ ...this.#active, state: 'off' } as DonorStatus);
  }
  async deleteEverything(): Promise<void> {
    this.calls.push('deleteEverything');
    this.tell(OFF);
  }
  /** Called by tests. */
  act(status: DonorStatus): void {
    this.#active = status;
    this.#decide();
  }
  tell(status: DonorStatus): void {
    this.status = status;
    for (const listener of this.#listeners) listener({ type: 'status', status });
  }
  /** By the core's own rule: so what the page reads from the browser is what decides. */
  #decide(): void {
    const { settings, conditions } = this;
    if (settings === undefined || conditions === undefined) return;
    const now = new Date();
    const reason = idleReason(settings, conditions, { now: now.getTime(), minute: 60 * now.getHours() + now.getMinutes(), month: this.#active.month });
    this.tell(reason === undefined ? this.#active : ({ ...this.#active, state: 'idle', reason, rate: 0, peers: [] } as DonorStatus));
  }
}

export function createEngine(options: { connections?: number }): Engine {
  const donor = new ScriptedDonor();
  Object.assign(globalThis, { donor, engineOptions: options });
  return { donor, erase: async () => undefined, release: () => undefined };
}

export type { ScriptedDonor };
