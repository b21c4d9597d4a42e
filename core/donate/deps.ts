/** What a donor needs of its platform: made in `web/seeder.ts`, and in `node/donate/`. */
import type { Clock } from '../ports/clock.ts';
import type { Fetch } from '../ports/fetch.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { Random } from '../ports/random.ts';
import type { Verifier } from '../ports/signer.ts';
import type { Decompressor } from './catalog.ts';
import type { HoldingChoice } from './choice.ts';
import type { OpenNetwork } from './network.ts';
import type { DonorStorage } from './storage.ts';

export interface DonorDeps {
  readonly storage: DonorStorage;
  readonly openNetwork: OpenNetwork;
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Minutes since midnight, local time. */
  readonly minuteOfDay: () => number;
  readonly hasher: Hasher;
  readonly random: Random;
  readonly verifier: Verifier;
  readonly decompressor: Decompressor;
  /** What to hold: `chooseByPopularity`, unless the repository has a plan. */
  readonly choose?: HoldingChoice | undefined;
}
