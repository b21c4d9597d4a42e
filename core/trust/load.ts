import { MossError } from '../error.ts';
import { badMetadata } from './bad-metadata.ts';
import { loadRoot } from './client.ts';
import { checkClock } from './last-seen.ts';
import { fileOf, readLastSeen } from './local.ts';
import { parseSnapshot, parseTimestamp } from './metadata.ts';
import { checkExpiry, checkSnapshotSignatures, checkTimestamp, checkVersion, openTargets } from './rules.ts';
import { type LocalTrustDeps, type TrustOptions, type TrustedMetadata, type TrustedRepository, repositoryOf } from './trusted.ts';

export interface LoadOptions extends TrustOptions {
  /** Accepts metadata that has expired, for what must work without a network. Signatures are always checked. */
  readonly allowExpired?: boolean | undefined;
}

/**
 * The trusted view of a repository as the last refresh left it, without asking anyone.
 *
 * @throws MossError `not-found` when there is none; `metadata-expired`, `clock-suspect`; `bad-metadata`,
 * `bad-signature` or `metadata-mismatch` when the store is damaged or a refresh was cut short: refresh again
 */
export async function loadTrust(deps: LocalTrustDeps, options: LoadOptions = {}): Promise<TrustedRepository> {
  return repositoryOf(await loadMetadata(deps, options));
}

/** The same for any TUF repository. */
export async function loadMetadata(deps: LocalTrustDeps, options: LoadOptions = {}): Promise<TrustedMetadata> {
  const { store, verifier, hasher } = deps;
  const tell = options.onEvent ?? ((): void => {});
  const time = deps.clock.now();
  if (options.acceptClock !== true && options.allowExpired !== true) checkClock(await readLastSeen(store, tell), time);
  const root = await loadRoot({ store, verifier, tell });
  const timestamp = parseTimestamp(await stored('timestamp'));
  await checkTimestamp(root, timestamp, { timestamp: 0, snapshot: 0 }, verifier);
  const snapshot = parseSnapshot(await stored('snapshot'));
  await checkSnapshotSignatures(root, snapshot, verifier);
  checkVersion('snapshot', snapshot.signed, timestamp.signed.snapshot);
  const promised = snapshot.signed.meta.get(fileOf('targets'));
  if (promised === undefined) throw badMetadata('the snapshot does not list targets.json');
  const delegator = { keys: root.signed.keys, roleKeys: root.signed.roles.targets };
  const targets = await openTargets('targets', await stored('targets'), promised, delegator, { verifier, hasher });
  const metadata = { time, root, timestamp, snapshot, targets };
  if (options.allowExpired !== true) {
    for (const role of ['root', 'timestamp', 'snapshot', 'targets'] as const) checkExpiry(role, metadata[role].signed, time);
  }
  return metadata;

  async function stored(role: string): Promise<Uint8Array> {
    const bytes = await store.get(fileOf(role));
    if (bytes !== undefined) return bytes;
    throw new MossError('not-found', `This machine has no ${role} metadata of the repository yet.`, { hint: 'Run `moss update` first.', data: { role } });
  }
}
