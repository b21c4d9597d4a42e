import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import * as fc from 'fast-check';
import { Updater } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { MossError } from '../../../core/error.ts';
import { initTrust } from '../../../core/trust/bootstrap.ts';
import { refreshMetadata } from '../../../core/trust/client.ts';
import { findTarget } from '../../../core/trust/find-target.ts';
import type { TrustDeps } from '../../../core/trust/trusted.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { nodeVerifier } from '../../../node/trust/verifier.ts';
import { type Mutation, baseline, malformed, mutate, wellFormed } from './mutation.ts';
import { type Simulator, memoryStore } from './simulator.ts';

/**
 * The same mutated metadata for this client and for tuf-js, and what each believes afterwards. `MOSS_TUF_MUTATIONS`
 * sets how many sets; nine in ten of them are well-formed.
 */
const RUNS = Number(process.env['MOSS_TUF_MUTATIONS'] ?? 1200);
const TARGET = 'team/file';

interface Verdict {
  /** What the refresh and the search for a target ended with. */
  readonly outcome: string;
  readonly versions: Readonly<Record<string, unknown>>;
  readonly error: unknown;
}

/** Memory where there is a file system of it: the oracle knows only files. */
const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'moss-tuf-js-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const verifier = nodeVerifier();

function mossDeps(sim: Simulator, files: ReadonlyMap<string, Uint8Array> = new Map()): TrustDeps & { store: ReturnType<typeof memoryStore> } {
  const store = memoryStore();
  for (const [name, bytes] of files) store.files.set(name, bytes);
  return { store, verifier, hasher: nodeHasher, fetcher: sim.fetcher(), clock: { now: () => Date.now(), sleep: () => Promise.resolve() } };
}

async function mossVerdict(before: State, sim: Simulator): Promise<Verdict> {
  const deps = mossDeps(sim, before.moss);
  const verdict = await judge(async () => (await findTarget(deps, await refreshMetadata(deps), TARGET))?.length);
  return { ...verdict, versions: versionsIn((name) => deps.store.files.get(name)) };
}

async function oracleVerdict(before: State, sim: Simulator): Promise<Verdict> {
  for (const name of readdirSync(directory)) rmSync(join(directory, name));
  for (const [name, bytes] of before.oracle) writeFileSync(join(directory, name), bytes);
  const verdict = await judge(async () => {
    const client = updater(sim);
    await client.refresh();
    return (await client.getTargetInfo(TARGET))?.length;
  });
  return { ...verdict, versions: versionsIn((name) => (existsSync(join(directory, name)) ? readFileSync(join(directory, name)) : undefined)) };
}

function updater(sim: Simulator): Updater {
  return new Updater({
    metadataDir: directory,
    metadataBaseUrl: 'http://repository.test',
    fetcher: {
      downloadFile: () => Promise.reject(new Error('not used')),
      downloadBytes(url, maxLength) {
        const bytes = sim.files.get(url.slice(url.lastIndexOf('/') + 1));
        if (bytes === undefined) return Promise.reject(new DownloadHTTPError('not found', 404));
        if (bytes.length > maxLength) return Promise.reject(new Error('too long'));
        return Promise.resolve(Buffer.from(bytes));
      },
    },
  });
}

async function judge(act: () => Promise<number | undefined>): Promise<Pick<Verdict, 'outcome' | 'error'>> {
  try {
    return { outcome: `accepted, target of ${await act()} bytes`, error: undefined };
  } catch (error) {
    return { outcome: 'refused', error };
  }
}

function versionsIn(read: (name: string) => Uint8Array | undefined): Record<string, unknown> {
  const names = ['root', 'timestamp', 'snapshot', 'targets', 'team'];
  return Object.fromEntries(names.map((name) => [name, JSON.parse(Buffer.from(read(`${name}.json`) ?? 'null').toString())?.signed.version]));
}

/** What both clients have on disk before the mutated metadata comes. */
interface State {
  readonly moss: ReadonlyMap<string, Uint8Array>;
  readonly oracle: ReadonlyMap<string, Uint8Array>;
}

async function stateBefore(mutation: Pick<Mutation, 'hashes' | 'known'>): Promise<State> {
  const sim = baseline(mutation);
  const deps = mossDeps(sim);
  await initTrust(deps, sim.rootFile);
  const oracle = new Map([['root.json', sim.rootFile]]);
  if (!mutation.known) return { moss: deps.store.files, oracle };
  await findTarget(deps, await refreshMetadata(deps), TARGET);
  await oracleVerdict({ moss: new Map(), oracle }, sim);
  return { moss: deps.store.files, oracle: new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))])) };
}

const states = new Map<string, State>();

async function both(mutation: Mutation): Promise<{ moss: Verdict; oracle: Verdict; sim: Simulator }> {
  const kind = `${mutation.hashes} ${mutation.known}`;
  const before = states.get(kind) ?? (await stateBefore(mutation));
  states.set(kind, before);
  const sim = baseline(mutation);
  mutate(sim, mutation);
  return { moss: await mossVerdict(before, sim), oracle: await oracleVerdict(before, sim), sim };
}

/** The oracle goes by the type of a key alone; here its scheme counts too, since that is what says how it signs. */
function hasUnknownScheme(sim: Simulator): boolean {
  return [...sim.files.values()].some((bytes) => /"scheme":(?!"ed25519")/.test(Buffer.from(bytes).toString()));
}

function explain(moss: Verdict, oracle: Verdict): string {
  return `moss: ${moss.outcome} ${String(moss.error)}\noracle: ${oracle.outcome} ${String(oracle.error)}`;
}

void suite(`beside tuf-js, ${RUNS} mutated sets of metadata`, () => {
  void test('well-formed metadata: no disagreement on accept or refuse, nor on what is believed', async (context) => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(wellFormed, async (mutation) => {
        const { moss, oracle } = await both(mutation);
        assert.equal(moss.outcome, oracle.outcome, explain(moss, oracle));
        assert.deepEqual(moss.versions, oracle.versions, explain(moss, oracle));
        if (moss.error !== undefined) assert.ok(moss.error instanceof MossError, String(moss.error));
        else accepted += 1;
      }),
      { numRuns: Math.ceil(RUNS * 0.9) },
    );
    context.diagnostic(`${accepted} accepted by both, ${Math.ceil(RUNS * 0.9) - accepted} refused by both`);
  });

  void test('malformed metadata: nothing is accepted that tuf-js refuses, and only form is refused beyond that', async (context) => {
    const stricter = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(malformed, async (mutation) => {
        const { moss, oracle, sim } = await both(mutation);
        if (moss.error !== undefined) assert.ok(moss.error instanceof MossError, String(moss.error));
        if (moss.outcome === oracle.outcome) return;
        assert.equal(moss.outcome, 'refused', explain(moss, oracle));
        assert.ok(moss.error instanceof MossError, explain(moss, oracle));
        assert.ok(moss.error.code === 'bad-metadata' || hasUnknownScheme(sim), explain(moss, oracle));
        const what = moss.error.message.replaceAll(/[0-9a-f]{64}|\d+/g, 'N');
        stricter.set(what, (stricter.get(what) ?? 0) + 1);
      }),
      { numRuns: Math.floor(RUNS * 0.1) },
    );
    for (const [what, count] of stricter) context.diagnostic(`stricter than tuf-js ${count} times: ${what}`);
  });
});
