/** What a page, an element or a terminal sees of a donor. `web/seeder.ts` and `moss donate` make one. */
import type { Conditions } from './conditions.ts';
import type { DonorSettings } from './settings.ts';
import type { DonorFailure, DonorStatus } from './status.ts';

export type DonorEvent =
  /** Something changed: at once where it is of another state, else once a second at most. */
  | { readonly type: 'status'; readonly status: DonorStatus }
  /** A peer sent something wrong, and is not asked again. */
  | { readonly type: 'banned'; readonly peer: string; readonly failure: DonorFailure }
  /** Something failed that ends nothing. */
  | { readonly type: 'warning'; readonly failure: DonorFailure };

export type DonorListener = (event: DonorEvent) => void;

export interface Donor {
  /** As it is now. The same object until something changes. */
  readonly status: DonorStatus;
  /** @returns a function that ends it */
  subscribe(listener: DonorListener): () => void;
  /**
   * Begins, or goes on where it was. Only ever called after consent: nothing is fetched and nobody is connected before.
   * Resolves once it is under way; what fails later is told as its state.
   */
  start(settings: DonorSettings, conditions: Conditions): Promise<void>;
  /** Other settings, from now on: a lower quota drops blocks, another repository starts anew. Does nothing while it is off. */
  apply(settings: DonorSettings): void;
  /** The platform tells something else. */
  observe(conditions: Conditions): void;
  /** Closes all connections; nothing is sent once it resolves, within a second. What is held stays for the next time. */
  stop(): Promise<void>;
  /** Stops, and removes all blocks, metadata, counts and the identity. */
  deleteEverything(): Promise<void>;
}
