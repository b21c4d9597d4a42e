import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import { badMetadata } from './bad-metadata.ts';
import { LIMITS, fetchMetadata, fetchRequired } from './download.ts';
import { type LastSeen, checkClock, expiredOrClock, keysOf, nextSeen, seenVersion } from './last-seen.ts';
import { ANCHOR, fileOf, readLastSeen, readLocal, writeLastSeen } from './local.ts';
import { type Root, type Signed, type Snapshot, type Targets, type Timestamp, parseRoot, parseSnapshot, parseTargets, parseTimestamp } from './metadata.ts';
import {
  type Delegator,
  checkExpiry,
  checkFirstRoot,
  checkNextRoot,
  checkSnapshotRollback,
  checkSnapshotSignatures,
  checkTimestamp,
  openSnapshot,
  openTargets,
  rootChanged,
} from './rules.ts';
import { type TrustDeps, type TrustEvent, type TrustOptions, type TrustedMetadata, type TrustedRepository, repositoryOf, versionsOf } from './trusted.ts';

/**
 * Brings the trusted view of a moss repository up to date: the client workflow of TUF 1.0, section 5.
 *
 * The store must hold a first root (`initTrust`). Whatever was verified before a failure stays in the store, as the
 * specification wants it, so a later run goes on from there.
 *
 * @throws MossError `root-changed`, `bad-signature`, `metadata-rollback`, `metadata-expired`, `metadata-mismatch`,
 * `metadata-endless`, `metadata-missing`, `bad-metadata`, `clock-suspect`, `not-found`, `source-failed`, `aborted`
 */
export async function refreshTrust(deps: TrustDeps, options: TrustOptions = {}): Promise<TrustedRepository> {
  return repositoryOf(await refreshMetadata(deps, options));
}

/** The same for any TUF repository, whatever its targets are. */
export async function refreshMetadata(deps: TrustDeps, options: TrustOptions = {}): Promise<TrustedMetadata> {
  const tell = options.onEvent ?? silent;
  const seen = await readLastSeen(deps.store, tell);
  // Section 5.1: one time for the whole refresh.
  const time = deps.clock.now();
  if (options.acceptClock !== true) checkClock(seen, time);
  const refresh: Refresh = { ...deps, seen, time, tell, signal: options.signal };
  try {
    const root = await updateRoot(refresh);
    const timestamp = await updateTimestamp(refresh, root);
    const snapshot = await updateSnapshot(refresh, root, timestamp);
    const targets = await updateTargets(refresh, root, snapshot);
    const metadata = { time, root, timestamp, snapshot, targets };
    await writeLastSeen(deps.store, nextSeen(seen, root.signed, versionsOf(metadata), time));
    return metadata;
  } catch (error) {
    throw expiredOrClock(error, seen, time);
  }
}

interface Refresh extends TrustDeps, AbortOptions {
  readonly seen: LastSeen | undefined;
  readonly time: number;
  readonly tell: (event: TrustEvent) => void;
}

function silent(): void {}

/** Sections 5.2 and 5.3. */
async function updateRoot(refresh: Refresh): Promise<Signed<Root>> {
  const { store, verifier, tell } = refresh;
  let root = await loadRoot(refresh);
  for (let count = 0; count < LIMITS.rootRotations; count += 1) {
    const bytes = await fetchMetadata(refresh, `${root.signed.version + 1}.root.json`, LIMITS.root);
    if (bytes === undefined) break;
    const next = parseRoot(bytes);
    await checkNextRoot(root, next, verifier);
    await store.put(fileOf('root'), bytes);
    root = next;
    tell({ type: 'accepted', role: 'root', version: root.signed.version });
  }
  const least = refresh.seen?.roles.get('root')?.version ?? 0;
  if (root.signed.version < least) {
    throw new MossError('metadata-rollback', `The repository went back to older root keys: version ${root.signed.version}, and version ${least} was seen before.`, {
      hint: 'The source holds an old copy, and the one on this machine was damaged. Use another source.',
    });
  }
  checkExpiry('root', root.signed, refresh.time);
  return root;
}

/** The trusted root of the store, or, when that is damaged, the one that trust began with. */
export async function loadRoot({ store, verifier, tell }: Pick<Refresh, 'store' | 'verifier' | 'tell'>): Promise<Signed<Root>> {
  const check = async (bytes: Uint8Array): Promise<Signed<Root>> => {
    const root = parseRoot(bytes);
    await checkFirstRoot(root, verifier);
    return root;
  };
  const root = await readLocal(store, fileOf('root'), tell, check);
  if (root !== undefined) return root;
  const anchor = await readLocal(store, ANCHOR, tell, check);
  if (anchor !== undefined) {
    await store.put(fileOf('root'), anchor.bytes);
    return anchor;
  }
  throw new MossError('not-found', 'This machine has no trusted root keys for the repository.', {
    hint: 'Add the repository again, and compare its fingerprint with the one that the publisher gives.',
  });
}

/** Section 5.4. */
async function updateTimestamp(refresh: Refresh, root: Signed<Root>): Promise<Signed<Timestamp>> {
  const { store, verifier, seen, tell } = refresh;
  const none = { timestamp: 0, snapshot: 0 };
  const kept = await readKept(refresh, root, 'timestamp', async (bytes) => {
    const timestamp = parseTimestamp(bytes);
    await checkTimestamp(root, timestamp, none, verifier);
    return timestamp;
  });
  const floors = kept
    ? { timestamp: kept.signed.version, snapshot: kept.signed.snapshot.version }
    : {
        timestamp: seenVersion(seen, root.signed, 'timestamp'),
        snapshot: seenVersion(seen, root.signed, 'timestamp') === 0 ? 0 : seenVersion(seen, root.signed, 'snapshot'),
      };
  const next = parseTimestamp(await fetchRequired(refresh, 'timestamp.json', LIMITS.timestamp));
  try {
    await checkTimestamp(root, next, floors, verifier);
  } catch (error) {
    throw (await explainBadSignature(refresh, root, error)) ?? error;
  }
  // Section 5.4.3.1: the same version is not an update, whatever else it says.
  if (kept !== undefined && next.signed.version === kept.signed.version) {
    checkExpiry('timestamp', kept.signed, refresh.time);
    return kept;
  }
  checkExpiry('timestamp', next.signed, refresh.time);
  await store.put(fileOf('timestamp'), next.bytes);
  tell({ type: 'accepted', role: 'timestamp', version: next.signed.version });
  return next;
}

/**
 * What was trusted last of a role, if it still verifies. Section 5.3.11: it does not once its keys were replaced, and
 * then versions may start anew, so that a fast-forward attack can be recovered from. While it verifies it is kept,
 * so that adding a key opens no way back to an older version.
 */
function readKept<T>(refresh: Refresh, root: Signed<Root>, role: 'timestamp' | 'snapshot', check: (bytes: Uint8Array) => Promise<T>): Promise<T | undefined> {
  const { store, seen, tell } = refresh;
  const keys = seen?.roles.get(role)?.keys;
  const rotated = keys !== undefined && keys !== keysOf(root.signed, role);
  return readLocal(store, fileOf(role), rotated ? (): void => tell({ type: 'keys-rotated', role }) : tell, check);
}

/** Tells a repository that was begun anew, with other keys, from one whose timestamp is simply wrong. */
async function explainBadSignature(refresh: Refresh, root: Signed<Root>, error: unknown): Promise<unknown> {
  if (!(error instanceof MossError) || error.code !== 'bad-signature') return undefined;
  const { version } = root.signed;
  try {
    const bytes = await fetchMetadata(refresh, `${version}.root.json`, LIMITS.root);
    if (bytes === undefined || sameBytes(parseRoot(bytes).payload, root.payload)) return undefined;
    return rootChanged(`its version ${version} of the root keys is another one than yours`, error);
  } catch {
    return undefined;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Section 5.5. */
async function updateSnapshot(refresh: Refresh, root: Signed<Root>, timestamp: Signed<Timestamp>): Promise<Signed<Snapshot>> {
  const { store, verifier, seen, tell } = refresh;
  const promised = timestamp.signed.snapshot;
  const kept = await readKept(refresh, root, 'snapshot', async (bytes) => {
    const snapshot = parseSnapshot(bytes);
    await checkSnapshotSignatures(root, snapshot, verifier);
    return snapshot;
  });
  // Its signatures were checked just now; hashes are for what comes from elsewhere. The reference clients agree.
  if (kept?.signed.version === promised.version) {
    checkExpiry('snapshot', kept.signed, refresh.time);
    return kept;
  }
  const file = root.signed.consistentSnapshot ? `${promised.version}.snapshot.json` : 'snapshot.json';
  const next = await openSnapshot(root, await fetchRequired(refresh, file, promised.length ?? LIMITS.snapshot), promised, refresh);
  const targetsFloor = seenVersion(seen, root.signed, 'snapshot') === 0 ? 0 : seenVersion(seen, root.signed, 'targets');
  const remembered = new Map(targetsFloor === 0 ? [] : [[fileOf('targets'), targetsFloor]]);
  checkSnapshotRollback(kept ? versionsIn(kept.signed) : remembered, next.signed);
  checkExpiry('snapshot', next.signed, refresh.time);
  await store.put(fileOf('snapshot'), next.bytes);
  tell({ type: 'accepted', role: 'snapshot', version: next.signed.version });
  return next;
}

function versionsIn(snapshot: Snapshot): ReadonlyMap<string, number> {
  return new Map([...snapshot.meta].map(([file, meta]) => [file, meta.version]));
}

/** The value, or `undefined` when the check fails: for what the store holds, which may be of an older revision. */
async function attempt<T>(check: () => Promise<T>): Promise<T | undefined> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof MossError) return undefined;
    throw error;
  }
}

/** Section 5.6, steps 1 to 6, for the top-level targets. */
function updateTargets(refresh: Refresh, root: Signed<Root>, snapshot: Signed<Snapshot>): Promise<Signed<Targets>> {
  const delegator = { keys: root.signed.keys, roleKeys: root.signed.roles.targets };
  return updateTargetsRole(refresh, 'targets', delegator, snapshot, root.signed.consistentSnapshot);
}

/**
 * One targets role, top-level or delegated: the copy in the store if it is the one that the snapshot names, else a
 * new one. It is checked against this delegator in either case: what another one vouched for counts for nothing.
 */
export async function updateTargetsRole(
  refresh: Omit<Refresh, 'seen'>,
  role: string,
  delegator: Delegator,
  snapshot: Signed<Snapshot>,
  consistent: boolean,
): Promise<Signed<Targets>> {
  const { store, tell, time } = refresh;
  const file = fileOf(role);
  const promised = snapshot.signed.meta.get(`${role}.json`);
  if (promised === undefined) throw badMetadata(`the snapshot does not list ${role}.json`, { data: { role } });

  const kept = await readLocal(store, file, tell, parseTargets);
  if (kept?.signed.version === promised.version) {
    const present = await attempt(async () => {
      const targets = await openTargets(role, kept.bytes, promised, delegator, refresh);
      checkExpiry(role, targets.signed, time);
      return targets;
    });
    if (present !== undefined) return present;
  }

  const bytes = await fetchRequired(refresh, consistent ? `${promised.version}.${file}` : file, promised.length ?? LIMITS.targets);
  const next = await openTargets(role, bytes, promised, delegator, refresh);
  checkExpiry(role, next.signed, time);
  await store.put(file, bytes);
  tell({ type: 'accepted', role, version: next.signed.version });
  return next;
}
