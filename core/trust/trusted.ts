import { type Cid, DAG_CBOR, cidOf } from '../dag/cid.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { MetadataFetcher, MetadataStore } from '../ports/metadata.ts';
import type { Verifier } from '../ports/signer.ts';
import { badMetadata } from './bad-metadata.ts';
import type { TrustHasher } from './content.ts';
import { type Root, type Signed, type Snapshot, TOP_ROLES, type TargetFile, type Targets, type Timestamp, type TopRole } from './metadata.ts';
import { decodeHex } from './text.ts';

/** What a reader of trusted metadata needs. */
export interface LocalTrustDeps {
  readonly store: MetadataStore;
  readonly verifier: Verifier;
  readonly hasher: TrustHasher;
  readonly clock: Clock;
}

export interface TrustDeps extends LocalTrustDeps {
  readonly fetcher: MetadataFetcher;
}

/** What was found out on the way, for whoever prints. */
export type TrustEvent =
  | { readonly type: 'accepted'; readonly role: string; readonly version: number }
  /** A file of the store was truncated or changed; it is fetched again. */
  | { readonly type: 'local-damaged'; readonly file: string; readonly reason: string }
  /** The keys of a role were replaced, so what was signed with the old ones is forgotten (TUF section 5.3.11). */
  | { readonly type: 'keys-rotated'; readonly role: TopRole };

export interface TrustOptions extends AbortOptions {
  readonly onEvent?: ((event: TrustEvent) => void) | undefined;
  /** Takes the clock as it is, although it was turned back. Only after a person said so. */
  readonly acceptClock?: boolean | undefined;
}

/** A complete set of metadata that was checked against each other. */
export interface TrustedMetadata {
  /** The fixed start time that expiries were compared with (TUF section 5.1): milliseconds since the epoch. */
  readonly time: number;
  readonly root: Signed<Root>;
  readonly timestamp: Signed<Timestamp>;
  readonly snapshot: Signed<Snapshot>;
  readonly targets: Signed<Targets>;
}

/** What may be believed of a moss repository, and until when. */
export interface TrustedRepository {
  /** The root block of the repository, the beginning of everything in it. */
  readonly rootCid: Cid;
  /** Size of the root block in bytes. */
  readonly rootSize: number;
  readonly target: { readonly length: number; readonly sha256: Uint8Array; readonly custom: TargetFile['custom'] };
  readonly versions: Readonly<Record<TopRole, number>>;
  /** When the first of the four files expires: milliseconds since the epoch. */
  readonly expires: number;
  readonly expiresOf: Readonly<Record<TopRole, number>>;
  readonly metadata: TrustedMetadata;
}

/** The one target of a moss repository. */
export const REPOSITORY_TARGET = 'repository';

export function versionsOf(metadata: TrustedMetadata): Record<TopRole, number> {
  return perRole((role) => metadata[role].signed.version);
}

/**
 * The repository that trusted metadata speaks of.
 *
 * @throws MossError `bad-metadata` when it is not a moss repository's
 */
export function repositoryOf(metadata: TrustedMetadata): TrustedRepository {
  const target = metadata.targets.signed.targets.get(REPOSITORY_TARGET);
  if (target === undefined) {
    throw badMetadata(`the signed metadata has no target named "${REPOSITORY_TARGET}", so this is not a moss repository`, {
      hint: 'Check the address of the repository.',
    });
  }
  const sha256 = decodeHex(target.hashes.get('sha256') ?? '');
  if (sha256 === undefined || sha256.length !== 32) {
    throw badMetadata(`the target "${REPOSITORY_TARGET}" has no SHA-256`);
  }
  const expiresOf = perRole((role) => metadata[role].signed.expires);
  return {
    rootCid: cidOf(DAG_CBOR, sha256),
    rootSize: target.length,
    target: { length: target.length, sha256, custom: target.custom },
    versions: versionsOf(metadata),
    expires: Math.min(...TOP_ROLES.map((role) => expiresOf[role])),
    expiresOf,
    metadata,
  };
}

function perRole(read: (role: TopRole) => number): Record<TopRole, number> {
  return { root: read('root'), timestamp: read('timestamp'), snapshot: read('snapshot'), targets: read('targets') };
}
