import type { PublicKey } from '../ports/signer.ts';
import { badMetadata } from './bad-metadata.ts';
import { type JsonObject, canonicalJson, parseJson } from './canonical-json.ts';
import { asBoolean, asInteger, asList, asMap, asObject, asText, asTexts, asTime, field } from './fields.ts';
import type { RoleKeys } from './keys.ts';

/** TUF 1.0 metadata (sections 4.1 to 4.6), parsed once: what is in these types is well-formed, and not yet trusted. */

export const TOP_ROLES = ['root', 'timestamp', 'snapshot', 'targets'] as const;
export type TopRole = (typeof TOP_ROLES)[number];

/** Where root metadata of moss has the name of the repository. */
export const NAME_FIELD = 'x-moss-name';

export interface Signature {
  readonly keyId: string;
  /** Hex; may be nonsense, which simply never verifies. */
  readonly sig: string;
}

interface Common {
  readonly version: number;
  /** Milliseconds since the Unix epoch. */
  readonly expires: number;
}

export interface Root extends Common {
  readonly type: 'root';
  /** What the publisher calls the repository: a field of moss, which TUF lets root have (section 4). */
  readonly name: string | undefined;
  readonly consistentSnapshot: boolean;
  readonly keys: ReadonlyMap<string, PublicKey>;
  readonly roles: Readonly<Record<TopRole, RoleKeys>>;
}

export interface MetaFile {
  readonly version: number;
  /** Bytes. */
  readonly length: number | undefined;
  /** Hash function to digest in hex. */
  readonly hashes: ReadonlyMap<string, string> | undefined;
}

export interface Timestamp extends Common {
  readonly type: 'timestamp';
  readonly snapshot: MetaFile;
}

export interface Snapshot extends Common {
  readonly type: 'snapshot';
  /** By file name, such as `targets.json`. */
  readonly meta: ReadonlyMap<string, MetaFile>;
}

export interface TargetFile {
  /** Bytes. */
  readonly length: number;
  readonly hashes: ReadonlyMap<string, string>;
  readonly custom: JsonObject | undefined;
}

export interface Delegation extends RoleKeys {
  readonly name: string;
  readonly terminating: boolean;
  readonly paths: readonly string[] | undefined;
  readonly pathHashPrefixes: readonly string[] | undefined;
}

export interface Targets extends Common {
  readonly type: 'targets';
  readonly targets: ReadonlyMap<string, TargetFile>;
  readonly delegations: { readonly keys: ReadonlyMap<string, PublicKey>; readonly roles: readonly Delegation[] } | undefined;
}

export type AnySigned = Root | Timestamp | Snapshot | Targets;

/** A metadata file: what is signed, by whom, and the bytes it came in. */
export interface Signed<T extends AnySigned> {
  readonly signed: T;
  readonly signatures: readonly Signature[];
  /** The canonical JSON of the signed part: what signatures are over. */
  readonly payload: Uint8Array;
  /** The file as it came, which is what hashes in other metadata are over. */
  readonly bytes: Uint8Array;
}

export function parseRoot(bytes: Uint8Array): Signed<Root> {
  return parse(bytes, 'root', (signed, common) => ({
    ...common,
    type: 'root' as const,
    name: readName(field(signed, NAME_FIELD)),
    consistentSnapshot: readConsistent(field(signed, 'consistent_snapshot')),
    keys: asMap(field(signed, 'keys'), 'keys', readKey),
    roles: readRoles(asObject(field(signed, 'roles'), 'roles')),
  }));
}

export function parseTimestamp(bytes: Uint8Array): Signed<Timestamp> {
  return parse(bytes, 'timestamp', (signed, common) => ({
    ...common,
    type: 'timestamp' as const,
    snapshot: readOnlySnapshot(asObject(field(signed, 'meta'), 'meta')),
  }));
}

export function parseSnapshot(bytes: Uint8Array): Signed<Snapshot> {
  return parse(bytes, 'snapshot', (signed, common) => ({
    ...common,
    type: 'snapshot' as const,
    meta: asMap(field(signed, 'meta'), 'meta', readMetaFile),
  }));
}

export function parseTargets(bytes: Uint8Array): Signed<Targets> {
  return parse(bytes, 'targets', (signed, common) => ({
    ...common,
    type: 'targets' as const,
    targets: asMap(field(signed, 'targets'), 'targets', readTargetFile),
    delegations: readDelegations(field(signed, 'delegations')),
  }));
}

function parse<T extends AnySigned>(bytes: Uint8Array, type: T['type'], read: (signed: JsonObject, common: Common) => T): Signed<T> {
  const file = asObject(parseJson(bytes), 'the metadata');
  const signed = asObject(field(file, 'signed'), 'signed');
  const found = asText(field(signed, '_type'), '_type');
  if (found !== type) throw badMetadata(`this is ${found} metadata where ${type} is wanted`);
  const specification = asText(field(signed, 'spec_version'), 'spec_version');
  if (!/^1\.\d+(\.\d+)?$/.test(specification)) {
    throw badMetadata(`written for TUF ${specification}, and this reads 1.x`, { hint: 'Update moss.' });
  }
  const common = { version: asInteger(field(signed, 'version'), 'version', 1), expires: asTime(field(signed, 'expires'), 'expires') };
  return { signed: read(signed, common), signatures: readSignatures(field(file, 'signatures')), payload: canonicalJson(signed), bytes };
}

/** Section 4.6: the snapshot is all that a timestamp describes. */
function readOnlySnapshot(meta: JsonObject): MetaFile {
  if (Object.keys(meta).length > 1) throw badMetadata('meta must describe snapshot.json and nothing else');
  return readMetaFile(field(meta, 'snapshot.json'), 'meta.snapshot.json');
}

/** Section 4.3: optional, for metadata of old. */
function readConsistent(value: unknown): boolean {
  return value === undefined ? false : asBoolean(value, 'consistent_snapshot');
}

function readName(value: unknown): string | undefined {
  return value === undefined ? undefined : asText(value, NAME_FIELD);
}

/** Section 4.2.1: no two signatures by the same key id, whether they count or not. */
function readSignatures(value: unknown): readonly Signature[] {
  const signatures = asList(value, 'signatures').map((item, at) => {
    const signature = asObject(item, `signatures[${at}]`);
    return { keyId: asText(field(signature, 'keyid'), 'keyid'), sig: asText(field(signature, 'sig'), 'sig') };
  });
  checkUnique(signatures.map((signature) => signature.keyId), 'signatures');
  return signatures;
}

function readKey(value: unknown, where: string): PublicKey {
  const key = asObject(value, where);
  const keyval = asObject(field(key, 'keyval'), `${where}.keyval`);
  return {
    keytype: asText(field(key, 'keytype'), `${where}.keytype`),
    scheme: asText(field(key, 'scheme'), `${where}.scheme`),
    public: asText(field(keyval, 'public'), `${where}.keyval.public`),
  };
}

function readRoleKeys(value: unknown, where: string): RoleKeys {
  const role = asObject(value, where);
  const keyIds = asTexts(field(role, 'keyids'), `${where}.keyids`);
  checkUnique(keyIds, `${where}.keyids`);
  return { keyIds, threshold: asInteger(field(role, 'threshold'), `${where}.threshold`, 1) };
}

function readRoles(roles: JsonObject): Record<TopRole, RoleKeys> {
  const read = (role: TopRole): RoleKeys => readRoleKeys(field(roles, role), `roles.${role}`);
  return { root: read('root'), timestamp: read('timestamp'), snapshot: read('snapshot'), targets: read('targets') };
}

function readMetaFile(value: unknown, where: string): MetaFile {
  const meta = asObject(value, where);
  const length = field(meta, 'length');
  const hashes = field(meta, 'hashes');
  return {
    version: asInteger(field(meta, 'version'), `${where}.version`, 1),
    length: length === undefined ? undefined : asInteger(length, `${where}.length`, 0),
    hashes: hashes === undefined ? undefined : readHashes(hashes, where),
  };
}

function readHashes(value: unknown, where: string): ReadonlyMap<string, string> {
  const hashes = asMap(value, `${where}.hashes`, asText);
  if (hashes.size === 0) throw badMetadata(`${where}.hashes must name a hash`);
  return hashes;
}

function readTargetFile(value: unknown, where: string): TargetFile {
  const target = asObject(value, where);
  const custom = field(target, 'custom');
  return {
    length: asInteger(field(target, 'length'), `${where}.length`, 0),
    hashes: readHashes(field(target, 'hashes'), where),
    custom: custom === undefined ? undefined : asObject(custom, `${where}.custom`),
  };
}

function readDelegations(value: unknown): Targets['delegations'] {
  if (value === undefined) return undefined;
  const delegations = asObject(value, 'delegations');
  if (field(delegations, 'succinct_roles') !== undefined) {
    throw badMetadata('succinct_roles (TAP 15) are not part of TUF 1.0');
  }
  const roles = asList(field(delegations, 'roles'), 'delegations.roles').map((item, at) => readDelegation(item, `delegations.roles[${at}]`));
  checkUnique(roles.map((role) => role.name), 'delegations.roles');
  return { keys: asMap(field(delegations, 'keys'), 'delegations.keys', readKey), roles };
}

function readDelegation(value: unknown, where: string): Delegation {
  const role = asObject(value, where);
  const name = asText(field(role, 'name'), `${where}.name`);
  // A delegated role by the name of a top-level one would share its file.
  if (name === '' || TOP_ROLES.some((top) => top === name)) throw badMetadata(`${where}.name cannot be "${name}"`);
  const paths = field(role, 'paths');
  const prefixes = field(role, 'path_hash_prefixes');
  if ((paths === undefined) === (prefixes === undefined)) {
    throw badMetadata(`${where} must have either paths or path_hash_prefixes`);
  }
  return {
    ...readRoleKeys(value, where),
    name,
    terminating: asBoolean(field(role, 'terminating'), `${where}.terminating`),
    paths: paths === undefined ? undefined : asTexts(paths, `${where}.paths`),
    pathHashPrefixes: prefixes === undefined ? undefined : asTexts(prefixes, `${where}.path_hash_prefixes`),
  };
}

function checkUnique(names: readonly string[], where: string): void {
  if (new Set(names).size !== names.length) throw badMetadata(`${where} names one of its own twice`);
}
