import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { initTrust } from '../../../core/trust/bootstrap.ts';
import type { refreshMetadata } from '../../../core/trust/client.ts';
import type { findTarget } from '../../../core/trust/find-target.ts';
import type { MetadataFetcher } from '../../../core/ports/metadata.ts';
import type { TrustDeps, TrustEvent } from '../../../core/trust/trusted.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { nodeVerifier } from '../../../node/trust/verifier.ts';
import { START, Simulator, memoryStore } from './simulator.ts';

/** The client under test: the real one, or one with a planted fault. */
export interface Client {
  readonly initTrust: typeof initTrust;
  readonly refreshMetadata: typeof refreshMetadata;
  readonly findTarget: typeof findTarget;
}

export type Versions = Readonly<Record<string, number | undefined>>;

/** One attack, or one thing that must go on working, as data. */
export interface Scenario {
  readonly name: string;
  /** The repository before the reader knows it. */
  readonly given?: (sim: Simulator) => void;
  /** Whether the reader refreshes once, successfully, before `when`: yes unless told otherwise. */
  readonly known?: false;
  /** What happens then. */
  readonly when: (sim: Simulator) => void;
  /** Milliseconds after the start at which the reader looks again. */
  readonly later?: number;
  /** Replaces the network. */
  readonly network?: (sim: Simulator) => MetadataFetcher;
  /** Changes what the reader has on disk. */
  readonly disk?: (files: Map<string, Uint8Array>) => void;
  /** `ok`, or the code of the error. */
  readonly expect: string;
  /** Versions in the reader's store after it. */
  readonly trusted?: Versions;
  /** Types of events that must have been told. */
  readonly told?: readonly TrustEvent['type'][];
}

export interface World {
  readonly sim: Simulator;
  readonly deps: TrustDeps & { store: ReturnType<typeof memoryStore> };
  time: number;
}

export function makeWorld(sim = new Simulator()): World {
  const world: World = {
    sim,
    time: START,
    deps: {
      store: memoryStore(),
      fetcher: sim.fetcher(),
      verifier: nodeVerifier(),
      hasher: { ...nodeHasher, sha512: (bytes) => createHash('sha512').update(bytes).digest() },
      clock: { now: () => world.time, sleep: () => Promise.resolve() },
    },
  };
  return world;
}

/** @throws AssertionError when the client does anything else than the scenario says */
export async function runScenario(client: Client, scenario: Scenario): Promise<void> {
  const { sim, deps } = makeWorld();
  scenario.given?.(sim);
  await client.initTrust(deps, sim.rootFile);
  if (scenario.known !== false) await client.refreshMetadata(deps);
  scenario.when(sim);
  scenario.disk?.(deps.store.files);
  const events: TrustEvent[] = [];
  const network = scenario.network?.(sim) ?? deps.fetcher;
  const clock = { ...deps.clock, now: () => START + (scenario.later ?? 0) };
  const outcome = await outcomeOf(() => client.refreshMetadata({ ...deps, clock, fetcher: network }, { onEvent: (event) => events.push(event) }));
  assert.equal(outcome, scenario.expect, `${scenario.name}: the outcome`);
  const expected = scenario.trusted ?? {};
  const trusted = Object.fromEntries(Object.keys(expected).map((role) => [role, versionIn(deps.store.files.get(`${role}.json`))]));
  assert.deepEqual(trusted, expected, `${scenario.name}: what is trusted after it`);
  for (const type of scenario.told ?? []) {
    assert.ok(events.some((event) => event.type === type), `${scenario.name}: ${type} is told`);
  }
}

/** By the code alone, not by the class: a client with a fault has its own copy of it. */
export async function outcomeOf(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
    return 'ok';
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && 'hint' in error) {
      assert.equal(typeof error.hint, 'string', `every refusal says what to do: ${String(error.code)}`);
      return String(error.code);
    }
    throw error;
  }
}

function versionIn(bytes: Uint8Array | undefined): number | undefined {
  return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString()).signed.version;
}
