import { MossError } from '../error.ts';
import type { Verifier } from '../ports/signer.ts';
import { type TrustHasher, checkContent } from './content.ts';
import { formatTime } from './fields.ts';
import { type AnySigned, type MetaFile, type Root, type Signed, type Snapshot, type Targets, type Timestamp, parseSnapshot, parseTargets } from './metadata.ts';
import { checkSignatures } from './signatures.ts';

/**
 * What each kind of metadata must fulfil to be trusted after another (TUF section 5). Pure: no store, no network.
 * Every function returns normally or throws a MossError whose code says which attack it would have been.
 */

/** Section 5.2: the root that trust begins with signs itself; its expiry does not matter yet. */
export async function checkFirstRoot(root: Signed<Root>, verifier: Verifier): Promise<void> {
  await checkSignatures({ role: 'root', metadata: root, keys: root.signed.keys, roleKeys: root.signed.roles.root, verifier });
}

/** Sections 5.3.4 and 5.3.5. */
export async function checkNextRoot(trusted: Signed<Root>, next: Signed<Root>, verifier: Verifier): Promise<void> {
  const { keys, roles } = trusted.signed;
  try {
    await checkSignatures({ role: 'root', metadata: next, keys, roleKeys: roles.root, verifier });
  } catch (cause) {
    if (!(cause instanceof MossError) || cause.code !== 'bad-signature') throw cause;
    throw rootChanged(`version ${next.signed.version} of the root keys is not signed by enough of those of version ${trusted.signed.version}`, cause);
  }
  if (next.signed.version !== trusted.signed.version + 1) {
    throw rollback('root', `the file for version ${trusted.signed.version + 1} of root says version ${next.signed.version}`);
  }
  await checkSignatures({ role: 'root', metadata: next, keys: next.signed.keys, roleKeys: next.signed.roles.root, verifier });
}

export function rootChanged(what: string, cause?: unknown): MossError {
  return new MossError('root-changed', `The keys of this repository have changed, and the keys that you trust did not agree: ${what}.`, {
    hint:
      'Either somebody else answers in the place of the repository, or its publisher lost the keys and started anew. ' +
      'Ask the publisher in another way. Only if they confirm the new fingerprint, remove the repository and add it again.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Sections 5.3.10, 5.4.4, 5.5.6, 5.6.5. An expiry at the start time itself is too late. */
export function checkExpiry(role: string, signed: AnySigned, startTime: number): void {
  if (signed.expires <= startTime) {
    throw new MossError('metadata-expired', `${role} metadata, version ${signed.version}, expired at ${formatTime(signed.expires)}`, {
      hint: 'The source may hold back newer metadata: try another one. If all say the same, the publisher must sign again.',
      data: { role, version: signed.version, expires: signed.expires },
    });
  }
}

/** The least versions that may come, as remembered from before. */
export interface Floors {
  readonly timestamp: number;
  readonly snapshot: number;
}

/** Sections 5.4.2 and 5.4.3, except the expiry. */
export async function checkTimestamp(root: Signed<Root>, next: Signed<Timestamp>, floors: Floors, verifier: Verifier): Promise<void> {
  await checkSignatures({ role: 'timestamp', metadata: next, keys: root.signed.keys, roleKeys: root.signed.roles.timestamp, verifier });
  if (next.signed.version < floors.timestamp) {
    throw rollback('timestamp', `version ${next.signed.version} came, and version ${floors.timestamp} was seen before`);
  }
  if (next.signed.snapshot.version < floors.snapshot) {
    throw rollback('snapshot', `version ${next.signed.snapshot.version} is offered, and version ${floors.snapshot} was seen before`);
  }
}

/** What checks of whole files need. */
export interface Checkers {
  readonly verifier: Verifier;
  readonly hasher: TrustHasher;
}

/** Sections 5.5.2 to 5.5.4: from bytes to the snapshot that the timestamp speaks of. */
export async function openSnapshot(root: Signed<Root>, bytes: Uint8Array, promised: MetaFile, { verifier, hasher }: Checkers): Promise<Signed<Snapshot>> {
  await checkContent('snapshot.json', bytes, promised, hasher);
  const snapshot = parseSnapshot(bytes);
  await checkSnapshotSignatures(root, snapshot, verifier);
  checkVersion('snapshot', snapshot.signed, promised);
  return snapshot;
}

/** Section 5.5.3 alone: for the snapshot that was trusted last, which need not be the present one. */
export async function checkSnapshotSignatures(root: Signed<Root>, snapshot: Signed<Snapshot>, verifier: Verifier): Promise<void> {
  await checkSignatures({ role: 'snapshot', metadata: snapshot, keys: root.signed.keys, roleKeys: root.signed.roles.snapshot, verifier });
}

/** Section 5.5.5: every targets file that was listed stays listed, and none goes back. */
export function checkSnapshotRollback(before: ReadonlyMap<string, number>, next: Snapshot): void {
  for (const [file, version] of before) {
    const now = next.meta.get(file)?.version;
    if (now === undefined) throw rollback('snapshot', `${file} was listed before and is not any more`);
    if (now < version) throw rollback('snapshot', `version ${now} of ${file} is offered, and version ${version} was seen before`);
  }
}

/** Who delegates to a targets role: the root, or another targets role. */
export interface Delegator {
  readonly keys: Root['keys'];
  readonly roleKeys: Root['roles']['targets'];
}

/** Sections 5.6.2 to 5.6.4, for the top-level and for delegated targets. */
export async function openTargets(
  role: string,
  bytes: Uint8Array,
  promised: MetaFile,
  delegator: Delegator,
  { verifier, hasher }: Checkers,
): Promise<Signed<Targets>> {
  await checkContent(`${role}.json`, bytes, promised, hasher);
  const targets = parseTargets(bytes);
  await checkSignatures({ role, metadata: targets, keys: delegator.keys, roleKeys: delegator.roleKeys, verifier });
  checkVersion(role, targets.signed, promised);
  return targets;
}

/** Sections 5.5.4 and 5.6.4. */
export function checkVersion(role: string, signed: AnySigned, promised: MetaFile): void {
  if (signed.version !== promised.version) {
    throw new MossError('metadata-mismatch', `${role} metadata says version ${signed.version}, and version ${promised.version} was signed for`, {
      hint: 'The source mixes files of different revisions. Try again, or use another source.',
      data: { role, version: signed.version, promised: promised.version },
    });
  }
}

function rollback(role: string, what: string): MossError {
  return new MossError('metadata-rollback', `The repository went back to an older state: ${role}: ${what}.`, {
    hint: 'The source holds an old copy. Use another one, or wait until the publisher has repaired it.',
    data: { role },
  });
}
