import type { Cid } from '../../core/dag/cid.ts';
import { MossError } from '../../core/error.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Signer } from '../../core/ports/signer.ts';
import type { JsonObject } from '../../core/trust/canonical-json.ts';
import { fingerprint } from '../../core/trust/fingerprint.ts';
import { type TopRole, parseRoot, parseSnapshot, parseTargets } from '../../core/trust/metadata.ts';
import { DEFAULT_LIFETIMES, type Lifetimes, type RoleSpec, initRepository, refreshTimestamp, signRevision } from '../../core/trust/publish.ts';
import type { MetadataFile } from '../../core/trust/sign.ts';
import { nodeHasher } from '../hasher.ts';
import { type KeyFile, createKey, listKeys, loadSigner } from './keys.ts';
import { type RepositoryStatus, repositoryStatus } from './repository-status.ts';
import { keysDirectory, pruneMetadata, readRevision, readRoot, writeMetadata } from './site.ts';

/**
 * The publisher's side on disk. A repository directory DIR has `DIR/keys/` (private) and `DIR/site/` (published, of
 * which `metadata/` is written here). One caller at a time.
 */
export interface PublishOptions {
  /** Opens the encrypted key files; unencrypted ones need none. */
  readonly passphrase?: string | undefined;
  /** `SOURCE_DATE_EPOCH` is for whoever makes the clock. */
  readonly clock: Clock;
  /** Milliseconds; what is left out is as in `DEFAULT_LIFETIMES`. */
  readonly lifetimes?: Partial<Lifetimes> | undefined;
}

export interface CreateOptions extends PublishOptions {
  readonly name: string;
  /** How many root keys to make: 1 unless given. */
  readonly rootKeys?: number | undefined;
  /** How many of them must sign a new root: 1 unless given. */
  readonly threshold?: number | undefined;
}

export interface CreatedRepository {
  /** 64 hex digits; `formatFingerprint` makes it readable. */
  readonly fingerprint: string;
  readonly keys: Readonly<Record<TopRole, readonly KeyFile[]>>;
}

/**
 * Begins a repository: keys and the first root.
 *
 * @throws MossError `exists` when there is one, `usage` for an impossible threshold, `io`
 */
export async function createRepository(dir: string, options: CreateOptions): Promise<CreatedRepository> {
  const { name, rootKeys = 1, threshold = 1, passphrase, clock, lifetimes } = options;
  if (await hasRoot(dir)) throw new MossError('exists', `${dir} is a repository already`, { hint: 'Choose another directory.' });
  if (!Number.isSafeInteger(threshold) || threshold < 1 || threshold > rootKeys) {
    throw new MossError('usage', `of ${rootKeys} root keys, ${threshold} cannot sign`, { hint: 'Give a threshold from 1 to the number of root keys.' });
  }
  const make = async (role: TopRole, count: number): Promise<readonly KeyFile[]> => {
    const keys: KeyFile[] = [];
    for (let at = 0; at < count; at += 1) keys.push(await createKey({ directory: keysDirectory(dir), name: role, passphrase }));
    return keys;
  };
  const keys = { root: await make('root', rootKeys), timestamp: await make('timestamp', 1), snapshot: await make('snapshot', 1), targets: await make('targets', 1) };
  const spec = (role: TopRole, least: number): RoleSpec => ({ keys: keys[role].map((file) => file.key), threshold: least });
  const roles = { root: spec('root', threshold), timestamp: spec('timestamp', 1), snapshot: spec('snapshot', 1), targets: spec('targets', 1) };
  const signers = await Promise.all(keys.root.map((file) => loadSigner(file.file, passphrase)));
  const files = await initRepository({ name, roles, signers, clock, hasher: nodeHasher, lifetimes });
  await writeMetadata(dir, files);
  return { fingerprint: await fingerprint((await readRoot(dir)).signed, nodeHasher), keys };
}

async function hasRoot(dir: string): Promise<boolean> {
  try {
    await readRoot(dir);
    return true;
  } catch (error) {
    if (error instanceof MossError && error.code === 'not-found') return false;
    throw error;
  }
}

export interface SignSiteOptions extends PublishOptions {
  readonly rootCid: Cid;
  /** Size of the root block in bytes. */
  readonly rootSize: number;
  /** Goes into the signed target as it is. */
  readonly custom?: JsonObject | undefined;
}

/**
 * Publishes a root block: new targets and snapshot, then the timestamp, whose rename is the switch. Everything that
 * the root block leads to must be in the site before. After a crash at any step, readers have the old revision or
 * the new one, and the call can be repeated.
 *
 * @throws MossError `missing-key`, `bad-passphrase`, `not-found`, `bad-metadata`, `io`, `disk-full`
 */
export async function signSite(dir: string, { rootCid, rootSize, custom, ...options }: SignSiteOptions): Promise<RepositoryStatus> {
  const root = await readRoot(dir);
  const previous = await readRevision(dir);
  const signers = await signersOfRoles(dir, ['targets', 'snapshot', 'timestamp'], options.passphrase);
  const target = { cid: rootCid, size: rootSize, custom };
  await writeMetadata(dir, await signRevision({ root: root.bytes, previous, target, signers, hasher: nodeHasher, ...options }));
  await pruneMetadata(dir);
  return repositoryStatus(dir, options);
}

/**
 * Signs the timestamp again, so that readers know that the revision is still the latest: for cron. Targets and
 * snapshot are signed again too when they would not outlive two more timestamps and their keys can be used.
 *
 * @throws MossError as `signSite` does; `not-found` before the first revision
 */
export async function refreshSite(dir: string, options: PublishOptions): Promise<RepositoryStatus> {
  const root = await readRoot(dir);
  const previous = await readRevision(dir);
  if (previous === undefined) throw new MossError('not-found', `${dir} has nothing published yet`, { hint: 'Run `moss publish` first.' });
  const input = { root: root.bytes, previous, hasher: nodeHasher, ...options };
  const soon = options.clock.now() + 2 * (options.lifetimes?.timestamp ?? DEFAULT_LIFETIMES.timestamp);
  const old = [parseSnapshot(previous.snapshot), parseTargets(previous.targets)].some((file) => file.signed.expires < soon);
  const files = old ? await resign() : undefined;
  const signers = files === undefined ? await signersOfRoles(dir, ['timestamp'], options.passphrase) : [];
  await writeMetadata(dir, files ?? (await refreshTimestamp({ ...input, signers })));
  if (files !== undefined) await pruneMetadata(dir);
  return repositoryStatus(dir, options);

  async function resign(): Promise<readonly MetadataFile[] | undefined> {
    try {
      const all = await signersOfRoles(dir, ['targets', 'snapshot', 'timestamp'], options.passphrase);
      return await signRevision({ ...input, target: undefined, signers: all });
    } catch (error) {
      // The status that is returned warns of the expiry; the timestamp can be renewed all the same.
      if (error instanceof MossError && (error.code === 'missing-key' || error.code === 'bad-passphrase')) return undefined;
      throw error;
    }
  }
}

/** The signers of `DIR/keys` for these roles, under the present root and a coming one. */
export async function signersOfRoles(
  dir: string,
  roles: readonly TopRole[],
  passphrase: string | undefined,
  nextRoot?: Uint8Array,
): Promise<readonly Signer[]> {
  const roots = [(await readRoot(dir)).signed, ...(nextRoot === undefined ? [] : [parseRoot(nextRoot).signed])];
  const wanted = new Set(roots.flatMap((root) => roles.flatMap((role) => root.roles[role].keyIds)));
  const files = (await listKeys(keysDirectory(dir))).filter((file) => wanted.has(file.keyId));
  return Promise.all(files.map((file) => loadSigner(file.file, passphrase)));
}
