import { MossError } from '../error.ts';
import type { Clock } from '../ports/clock.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { PublicKey, Signer, Verifier } from '../ports/signer.ts';
import { badMetadata } from './bad-metadata.ts';
import type { JsonObject } from './canonical-json.ts';
import { checkThreshold, keyId, keyJson } from './keys.ts';
import { TOP_ROLES, type Root, type Signature, type Signed, type TopRole, parseRoot } from './metadata.ts';
import { type Lifetimes, common } from './publish.ts';
import { encodeMetadata, sign, signedPart } from './sign.ts';
import { signersOf } from './signatures.ts';

/**
 * New versions of the root. Because root keys belong on machines without a network, a new root begins as a draft: a
 * root file with too few signatures. It can be carried about as a file, is signed wherever the keys are, and becomes
 * a root once enough of the old and of the new keys have signed it (TUF section 6.1).
 */

/** One change to the keys. A change of nothing at all gives the root a new expiry. */
export type RootChange =
  | { readonly type: 'add-key'; readonly role: TopRole; readonly key: PublicKey }
  | { readonly type: 'remove-key'; readonly role: TopRole; readonly keyId: string }
  | { readonly type: 'threshold'; readonly role: TopRole; readonly threshold: number };

export interface DraftInput {
  readonly root: Uint8Array;
  readonly changes: readonly RootChange[];
  readonly clock: Clock;
  readonly hasher: Hasher;
  readonly lifetimes?: Partial<Lifetimes> | undefined;
}

/**
 * The next version of a root, without a signature.
 *
 * @throws MossError `usage` when a role could never sign any more, `exists`, `not-found`
 */
export async function rotateRoot({ root, changes, clock, hasher, lifetimes }: DraftInput): Promise<Uint8Array> {
  const before = parseRoot(root).signed;
  const keys = new Map(before.keys);
  const roles = new Map(TOP_ROLES.map((role) => [role, { ids: [...before.roles[role].keyIds], threshold: before.roles[role].threshold }]));
  for (const change of changes) {
    const role = roles.get(change.role);
    if (role === undefined) throw new MossError('bug', `no role ${change.role}`);
    if (change.type === 'threshold') {
      role.threshold = change.threshold;
    } else if (change.type === 'add-key') {
      const id = await keyId(change.key, hasher);
      if (role.ids.includes(id)) throw new MossError('exists', `the key ${id.slice(0, 8)} has the role ${change.role} already`);
      role.ids.push(id);
      keys.set(id, change.key);
    } else {
      const left = role.ids.filter((id) => id !== change.keyId);
      if (left.length === role.ids.length) throw new MossError('not-found', `no key ${change.keyId.slice(0, 8)} has the role ${change.role}`);
      role.ids = left;
    }
  }
  for (const [role, { ids, threshold }] of roles) checkThreshold(role, ids.length, threshold);
  const used = new Set([...roles.values()].flatMap((role) => role.ids));
  const old = signedPart(root);
  const signed: JsonObject = {
    ...old,
    ...common('root', before.version + 1, clock, lifetimes),
    keys: Object.fromEntries([...keys].filter(([id]) => used.has(id)).map(([id, key]) => [id, keyIn(old, id) ?? keyJson(key)])),
    roles: Object.fromEntries([...roles].map(([role, { ids, threshold }]) => [role, { keyids: ids, threshold }])),
  };
  return encodeMetadata(signed, []);
}

/** A key as the old root writes it, with fields that this program does not know. */
function keyIn(signed: JsonObject, id: string): JsonObject | undefined {
  const { keys } = signed;
  const key = isRecord(keys) && Object.hasOwn(keys, id) ? keys[id] : undefined;
  return isRecord(key) ? key : undefined;
}

function isRecord(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A draft with the signatures of these signers added. */
export async function signRoot(draft: Uint8Array, signers: readonly Signer[], hasher: Hasher): Promise<Uint8Array> {
  const signed = signedPart(draft);
  return withSignatures(draft, await sign(signed, signers, hasher));
}

/**
 * A draft with the signatures that another copy of it has, as far as they are by root keys of the old or the new root.
 *
 * @throws MossError `bad-metadata` when the other file is not a copy of this draft
 */
export function mergeRoot(trusted: Uint8Array, draft: Uint8Array, other: Uint8Array): Uint8Array {
  const [mine, theirs] = [parseRoot(draft), parseRoot(other)];
  if (mine.payload.length !== theirs.payload.length || !mine.payload.every((byte, at) => byte === theirs.payload[at])) {
    throw badMetadata('the file that came back is signed over something else than what was sent out', {
      hint: 'Export the draft again, and have that one signed.',
    });
  }
  const useful = new Set([parseRoot(trusted), mine].flatMap((root) => root.signed.roles.root.keyIds));
  return withSignatures(draft, theirs.signatures.filter((signature) => useful.has(signature.keyId)));
}

function withSignatures(draft: Uint8Array, added: readonly Signature[]): Uint8Array {
  const signatures = new Map([...parseRoot(draft).signatures, ...added].map((signature) => [signature.keyId, signature]));
  return encodeMetadata(signedPart(draft), [...signatures.values()].toSorted((a, b) => (a.keyId < b.keyId ? -1 : 1)));
}

export interface Quorum {
  readonly threshold: number;
  /** Ids of the keys that signed. */
  readonly signed: readonly string[];
  /** Ids of the keys that could still sign. */
  readonly missing: readonly string[];
}

export interface RootProgress {
  /** The keys of the root that is trusted now. */
  readonly old: Quorum;
  /** The keys of the draft itself. */
  readonly next: Quorum;
  readonly complete: boolean;
}

/** How far the signing of a draft has come. */
export async function rootProgress(trusted: Uint8Array, draft: Uint8Array, verifier: Verifier): Promise<RootProgress> {
  const metadata = parseRoot(draft);
  const old = await quorum(parseRoot(trusted).signed, metadata, verifier);
  const next = await quorum(metadata.signed, metadata, verifier);
  return { old, next, complete: [old, next].every((part) => part.signed.length >= part.threshold) };
}

async function quorum({ keys, roles }: Root, metadata: Signed<Root>, verifier: Verifier): Promise<Quorum> {
  const signed = await signersOf({ metadata, keys, roleKeys: roles.root, verifier });
  return { threshold: roles.root.threshold, signed: [...signed], missing: roles.root.keyIds.filter((id) => !signed.has(id)) };
}
