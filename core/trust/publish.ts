import { type Cid, DAG_CBOR, checkCid } from '../dag/cid.ts';
import { MossError } from '../error.ts';
import type { Clock } from '../ports/clock.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { PublicKey, Signer } from '../ports/signer.ts';
import type { JsonObject, JsonValue } from './canonical-json.ts';
import { asObject, field, formatTime } from './fields.ts';
import { checkThreshold, keyId, keyJson } from './keys.ts';
import { NAME_FIELD, TOP_ROLES, type TopRole, parseRoot, parseSnapshot, parseTargets, parseTimestamp } from './metadata.ts';
import { type MetadataFile, encodeMetadata, sign, signedPart, signersFor } from './sign.ts';
import { encodeHex } from './text.ts';
import { REPOSITORY_TARGET } from './trusted.ts';

/** The publisher's side: pure functions from metadata, signers and a clock to the files to write. */

export const SPEC_VERSION = '1.0.34';
const DAY = 86_400_000;

/** How long each kind of metadata lives, in milliseconds. The README of this room says why. */
export const DEFAULT_LIFETIMES: Lifetimes = { root: 365 * DAY, targets: 180 * DAY, snapshot: 180 * DAY, timestamp: 30 * DAY };
export type Lifetimes = Readonly<Record<TopRole, number>>;

export interface RoleSpec {
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
}

export interface InitInput {
  readonly name: string;
  readonly roles: Readonly<Record<TopRole, RoleSpec>>;
  /** Of the root role; at least as many as its threshold. */
  readonly signers: readonly Signer[];
  readonly clock: Clock;
  readonly hasher: Hasher;
  readonly lifetimes?: Partial<Lifetimes> | undefined;
}

/**
 * Begins a repository: its first root. The other three files come with the first revision.
 *
 * @throws MossError `usage` for an impossible threshold, `missing-key`
 */
export async function initRepository(input: InitInput): Promise<readonly MetadataFile[]> {
  const { hasher, clock, lifetimes } = input;
  const keys: Record<string, JsonValue> = {};
  const roles: Record<string, JsonValue> = {};
  for (const role of TOP_ROLES) {
    const spec = input.roles[role];
    const ids = await Promise.all(spec.keys.map((key) => keyId(key, hasher)));
    checkThreshold(role, new Set(ids).size, spec.threshold);
    spec.keys.forEach((key, at) => (keys[ids[at] ?? ''] = keyJson(key)));
    roles[role] = { keyids: [...new Set(ids)], threshold: spec.threshold };
  }
  const signed = {
    ...common('root', 1, clock, lifetimes),
    [NAME_FIELD]: input.name,
    consistent_snapshot: true,
    keys,
    roles,
  };
  const root = parseRoot(encodeMetadata(signed, [])).signed;
  const signers = await signersFor('root', [root], input.signers, hasher);
  return [{ name: '1.root.json', bytes: encodeMetadata(signed, await sign(signed, signers, hasher)) }];
}

/** The three files of the revision that is published now. */
export interface Revision {
  readonly timestamp: Uint8Array;
  readonly snapshot: Uint8Array;
  readonly targets: Uint8Array;
}

export interface SignInput {
  /** The present root file. */
  readonly root: Uint8Array;
  /** A root that is about to replace it: what is signed is then good under both. */
  readonly nextRoot?: Uint8Array | undefined;
  readonly signers: readonly Signer[];
  readonly clock: Clock;
  readonly hasher: Hasher;
  readonly lifetimes?: Partial<Lifetimes> | undefined;
}

export interface RevisionInput extends SignInput {
  /** `undefined` for the first revision. */
  readonly previous: Revision | undefined;
  /** The root block. `undefined` signs the previous one again. */
  readonly target: { readonly cid: Cid; readonly size: number; readonly custom?: JsonObject | undefined } | undefined;
}

/**
 * A new revision: new targets, snapshot and timestamp, in the order to write them. The timestamp is last: until it is
 * replaced, readers see the previous revision whole.
 *
 * @throws MossError `missing-key`, `bad-cid`, `bad-metadata` when the previous files are damaged
 */
export async function signRevision(input: RevisionInput): Promise<readonly MetadataFile[]> {
  const { previous } = input;
  const targets = await signTargets(input, previous ? parseTargets(previous.targets).signed.version + 1 : 1);
  const snapshotVersion = previous ? parseSnapshot(previous.snapshot).signed.version + 1 : 1;
  const meta = { 'targets.json': await metaFile(targets, input.hasher) };
  const snapshot = await signFile(input, 'snapshot', snapshotVersion, { meta });
  return [targets, snapshot, await signTimestamp(input, snapshot, previous?.timestamp)].map(({ name, bytes }) => ({ name, bytes }));
}

/**
 * The same revision with a new timestamp, so that readers know that it is still the latest.
 *
 * @throws MossError as `signRevision` does
 */
export async function refreshTimestamp(input: SignInput & { readonly previous: Revision }): Promise<readonly MetadataFile[]> {
  const { version } = parseSnapshot(input.previous.snapshot).signed;
  const snapshot = { name: `${version}.snapshot.json`, bytes: input.previous.snapshot, version };
  const { name, bytes } = await signTimestamp(input, snapshot, input.previous.timestamp);
  return [{ name, bytes }];
}

interface VersionedFile extends MetadataFile {
  readonly version: number;
}

function signTargets(input: RevisionInput, version: number): Promise<VersionedFile> {
  const { target, previous } = input;
  if (target === undefined) {
    if (previous === undefined) throw new MossError('bug', 'nothing to sign');
    return signFile(input, 'targets', version, { targets: asObject(field(signedPart(previous.targets), 'targets'), 'targets') });
  }
  checkCid(target.cid);
  if (target.cid.code !== DAG_CBOR) throw new MossError('bad-cid', `the root block of a repository is dag-cbor, and ${target.cid.toString()} is not`);
  const file = {
    length: target.size,
    hashes: { sha256: encodeHex(target.cid.multihash.digest) },
    ...(target.custom === undefined ? {} : { custom: target.custom }),
  };
  return signFile(input, 'targets', version, { targets: { [REPOSITORY_TARGET]: file } });
}

async function signTimestamp(input: SignInput, snapshot: VersionedFile, previous: Uint8Array | undefined): Promise<VersionedFile> {
  const version = previous ? parseTimestamp(previous).signed.version + 1 : 1;
  return signFile(input, 'timestamp', version, { meta: { 'snapshot.json': await metaFile(snapshot, input.hasher) } });
}

async function signFile(input: SignInput, role: TopRole, version: number, content: JsonObject): Promise<VersionedFile> {
  const signed = { ...common(role, version, input.clock, input.lifetimes), ...content };
  const roots = [input.root, input.nextRoot].flatMap((bytes) => (bytes === undefined ? [] : [parseRoot(bytes).signed]));
  const signers = await signersFor(role, roots, input.signers, input.hasher);
  const bytes = encodeMetadata(signed, await sign(signed, signers, input.hasher));
  return { name: role === 'timestamp' ? 'timestamp.json' : `${version}.${role}.json`, bytes, version };
}

/** The fields that every kind has (TUF section 4.3). */
export function common(role: TopRole, version: number, clock: Clock, lifetimes: Partial<Lifetimes> | undefined): JsonObject {
  const expires = clock.now() + (lifetimes?.[role] ?? DEFAULT_LIFETIMES[role]);
  return { _type: role, spec_version: SPEC_VERSION, version, expires: formatTime(expires) };
}

async function metaFile(file: VersionedFile, hasher: Hasher): Promise<JsonObject> {
  return { version: file.version, length: file.bytes.length, hashes: { sha256: encodeHex(await hasher.sha256(file.bytes)) } };
}
