import { join } from 'node:path';
import { type Cid, DAG_CBOR, cidOf } from '../../../core/dag/cid.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { MetadataFetcher, MetadataStore } from '../../../core/ports/metadata.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { directoryMetadataFetcher } from '../../../node/trust/directory-fetcher.ts';
import { directoryMetadataStore } from '../../../node/trust/metadata-store.ts';
import { nodeVerifier } from '../../../node/trust/verifier.ts';

/** A clock that stands where it is put. */
export interface TestClock extends Clock {
  time: number;
}

export function clockAt(text: string): TestClock {
  const clock: TestClock = { time: Date.parse(text), now: () => clock.time, sleep: () => Promise.resolve() };
  return clock;
}

/** What a machine that uses a repository has: everything that `refreshTrust` takes, with the site for a network. */
export class Reader {
  readonly verifier = nodeVerifier();
  readonly hasher = nodeHasher;
  readonly store: MetadataStore;
  readonly fetcher: MetadataFetcher;
  readonly clock: Clock;

  constructor(dir: string, state: string, clock: Clock) {
    this.store = directoryMetadataStore(state);
    this.clock = clock;
    this.fetcher = directoryMetadataFetcher(join(dir, 'site', 'metadata'));
  }
}

/** Some root block, a different one for each number. */
export function aRootBlock(number: number): { rootCid: Cid; rootSize: number } {
  return { rootCid: cidOf(DAG_CBOR, new Uint8Array(32).fill(number)), rootSize: 100 + number };
}
