import { MossError } from '../../core/error.ts';
import type { PublicKey } from '../../core/ports/signer.ts';
import { TOP_ROLES, type TopRole, parseRoot } from '../../core/trust/metadata.ts';
import { signRevision } from '../../core/trust/publish.ts';
import { type RootChange, type RootProgress, mergeRoot, rootProgress, rotateRoot, signRoot } from '../../core/trust/rotate.ts';
import type { MetadataFile } from '../../core/trust/sign.ts';
import { nodeHasher } from '../hasher.ts';
import { readDraft, removeDraft, writeDraft } from './draft.ts';
import { createKey, listKeys, loadSigner } from './keys.ts';
import { type PublishOptions, signersOfRoles } from './repository.ts';
import { draftFile, keysDirectory, readRevision, readRoot, writeMetadata } from './site.ts';
import { nodeVerifier } from './verifier.ts';

/** Changes to the keys of a repository. Each is a new version of the root, signed here or wherever the root keys are. */

export type RootResult =
  /** The new root is in the site. */
  | { readonly state: 'published'; readonly version: number }
  /** Signatures are missing: `exportRoot` on this machine, `signRootFile` where the keys are, `importRoot` here. */
  | { readonly state: 'draft'; readonly file: string; readonly progress: RootProgress };

export interface RoleOptions extends PublishOptions {
  readonly role: TopRole;
}

/**
 * Gives a role one more key: one that is made here, or the public half of one that was made elsewhere.
 *
 * @throws MossError `exists` while another draft waits or when the role has the key
 */
export async function addKey(dir: string, options: RoleOptions & { readonly key?: PublicKey | undefined }): Promise<RootResult> {
  await refuseSecondDraft(dir);
  const key = options.key ?? (await newKey(dir, options));
  return changeRoot(dir, [{ type: 'add-key', role: options.role, key }], options);
}

/**
 * Replaces a key of a role: the one that is named, or the only one.
 *
 * @throws MossError `usage` when it is not clear which, `not-found`, `exists` while another draft waits
 */
export async function rotateKey(dir: string, options: RoleOptions & { readonly keyId?: string | undefined }): Promise<RootResult> {
  await refuseSecondDraft(dir);
  const old = await findKey(dir, options.role, options.keyId);
  const key = await newKey(dir, options);
  const { role } = options;
  return changeRoot(dir, [{ type: 'add-key', role, key }, { type: 'remove-key', role, keyId: old }], options);
}

/**
 * Takes a key from a role without another in its place; its file stays.
 *
 * @throws MossError `usage` when too few keys would be left for the threshold
 */
export async function revokeKey(dir: string, options: RoleOptions & { readonly keyId: string }): Promise<RootResult> {
  const keyId = await findKey(dir, options.role, options.keyId);
  return changeRoot(dir, [{ type: 'remove-key', role: options.role, keyId }], options);
}

export function setThreshold(dir: string, options: RoleOptions & { readonly threshold: number }): Promise<RootResult> {
  return changeRoot(dir, [{ type: 'threshold', role: options.role, threshold: options.threshold }], options);
}

/** Any set of changes in one new root; none at all gives the root a new expiry. */
export async function changeRoot(dir: string, changes: readonly RootChange[], options: PublishOptions): Promise<RootResult> {
  await refuseSecondDraft(dir);
  const root = await readRoot(dir);
  const { clock, lifetimes } = options;
  return advance(dir, await rotateRoot({ root: root.bytes, changes, clock, lifetimes, hasher: nodeHasher }), options);
}

async function refuseSecondDraft(dir: string): Promise<void> {
  if ((await readDraft(dir)) !== undefined) {
    throw new MossError('exists', 'another new root waits for signatures', { hint: `Have ${draftFile(dir)} signed and import it, or delete it.` });
  }
}

/**
 * The root that waits for signatures, to be carried to where the keys are; when there is none, a renewal of the
 * present one. The file is the same in `DIR/root-draft.json`.
 */
export async function exportRoot(dir: string, options: PublishOptions): Promise<Uint8Array> {
  const waiting = await readDraft(dir);
  if (waiting !== undefined) return waiting;
  const { clock, lifetimes } = options;
  const draft = await rotateRoot({ root: (await readRoot(dir)).bytes, changes: [], clock, lifetimes, hasher: nodeHasher });
  await writeDraft(dir, draft);
  return draft;
}

/**
 * On the machine that has root keys: adds the signatures of all key files of a directory to an exported root. Those
 * that the root has no use for are dropped by `importRoot`.
 *
 * @throws MossError `missing-key` when there is no key file, `bad-passphrase`
 */
export async function signRootFile(draft: Uint8Array, { directory, passphrase }: { directory: string; passphrase?: string | undefined }): Promise<Uint8Array> {
  const files = await listKeys(directory);
  if (files.length === 0) throw new MossError('missing-key', `${directory} holds no key that could sign this root`);
  const signers = await Promise.all(files.map((file) => loadSigner(file.file, passphrase)));
  return signRoot(draft, signers, nodeHasher);
}

/**
 * Takes in the signatures of an exported root that comes back, and publishes it once there are enough.
 *
 * @throws MossError `not-found` when none was sent out, `bad-metadata` when it is another one
 */
export async function importRoot(dir: string, signed: Uint8Array, options: PublishOptions): Promise<RootResult> {
  const draft = await readDraft(dir);
  if (draft === undefined) throw new MossError('not-found', 'no root waits for signatures', { hint: 'Export one first.' });
  return advance(dir, mergeRoot((await readRoot(dir)).bytes, draft, signed), options);
}

/** Signs with what root keys are here; publishes when that is enough, and keeps the draft when not. */
async function advance(dir: string, draft: Uint8Array, options: PublishOptions): Promise<RootResult> {
  const root = await readRoot(dir);
  const here = await signersOfRoles(dir, ['root'], options.passphrase, draft);
  const signed = await signRoot(draft, here, nodeHasher);
  const progress = await rootProgress(root.bytes, signed, nodeVerifier());
  if (!progress.complete) {
    await writeDraft(dir, signed);
    return { state: 'draft', file: draftFile(dir), progress };
  }
  const version = root.signed.version + 1;
  await publishRoot(dir, { name: `${version}.root.json`, bytes: signed }, options);
  await removeDraft(dir);
  return { state: 'published', version };
}

/**
 * Puts a new root into the site. When it changes who signs the rest, the rest is signed first, by the old keys and
 * the new ones, so that readers find it good before and after they learn of the new root. Where an old key is lost
 * that cannot be, and the root goes first: readers fail in between, for the time that it takes to write three files.
 */
async function publishRoot(dir: string, root: MetadataFile, options: PublishOptions): Promise<void> {
  const present = await readRoot(dir);
  const previous = await readRevision(dir);
  if (previous === undefined || sameSigners(present.bytes, root.bytes)) return writeMetadata(dir, [root]);
  const signers = await signersOfRoles(dir, ['targets', 'snapshot', 'timestamp'], options.passphrase, root.bytes);
  const input = { previous, target: undefined, signers, hasher: nodeHasher, ...options };
  const both = await unlessKeysMiss(() => signRevision({ ...input, root: present.bytes, nextRoot: root.bytes }));
  if (both !== undefined) return writeMetadata(dir, [...both, root]);
  return writeMetadata(dir, [root, ...(await signRevision({ ...input, root: root.bytes }))]);
}

async function unlessKeysMiss<T>(make: () => Promise<T>): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof MossError && error.code === 'missing-key') return undefined;
    throw error;
  }
}

function sameSigners(a: Uint8Array, b: Uint8Array): boolean {
  const [left, right] = [parseRoot(a).signed.roles, parseRoot(b).signed.roles];
  return (['targets', 'snapshot', 'timestamp'] as const).every((role) => JSON.stringify(left[role]) === JSON.stringify(right[role]));
}

/** Not before the passphrase has opened the other keys: a new one in the clear beside them would be a surprise. */
async function newKey(dir: string, { role, passphrase }: RoleOptions): Promise<PublicKey> {
  await signersOfRoles(dir, TOP_ROLES, passphrase);
  return (await createKey({ directory: keysDirectory(dir), name: role, passphrase })).key;
}

/** The full id of a key of a role, from its beginning. */
async function findKey(dir: string, role: TopRole, beginning: string | undefined): Promise<string> {
  const { keyIds } = (await readRoot(dir)).signed.roles[role];
  const found = keyIds.filter((id) => beginning === undefined || id.startsWith(beginning));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new MossError(found.length === 0 ? 'not-found' : 'usage', found.length === 0 ? `${role} has no such key` : `${role} has ${found.length} such keys`, {
    hint: `Name one of them: ${keyIds.map((id) => id.slice(0, 8)).join(', ')}.`,
  });
}
