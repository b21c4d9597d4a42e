import type { Clock } from '../../core/ports/clock.ts';
import { formatTime } from '../../core/trust/fields.ts';
import { fingerprint } from '../../core/trust/fingerprint.ts';
import { TOP_ROLES, type TopRole, parseSnapshot, parseTargets, parseTimestamp } from '../../core/trust/metadata.ts';
import { DEFAULT_LIFETIMES } from '../../core/trust/publish.ts';
import { nodeHasher } from '../hasher.ts';
import { type KeyFile, listKeys } from './keys.ts';
import { readDraft } from './draft.ts';
import { keysDirectory, readRevision, readRoot } from './site.ts';

/** A key that signs for the repository, or lies among its keys without a role. */
export interface RepositoryKey {
  readonly keyId: string;
  readonly roles: readonly TopRole[];
  /** `undefined` when the private key is elsewhere, as that of a root should be. */
  readonly file: KeyFile | undefined;
}

export interface RoleStatus {
  readonly role: TopRole;
  /** `undefined` for what is not published yet. */
  readonly version: number | undefined;
  /** Milliseconds since the epoch. */
  readonly expires: number | undefined;
  readonly threshold: number;
  readonly keyIds: readonly string[];
}

export interface StatusWarning {
  readonly type: 'expired' | 'expires-soon' | 'exposed-key' | 'draft-waits';
  readonly message: string;
}

export interface RepositoryStatus {
  readonly name: string | undefined;
  readonly fingerprint: string;
  readonly roles: readonly RoleStatus[];
  /** When the first of the files expires: milliseconds since the epoch. */
  readonly expires: number;
  readonly warnings: readonly StatusWarning[];
}

/** A warning comes when this part of the usual life is left. */
const SOON = 1 / 4;

/** Versions, expiries and what the publisher should see to. */
export async function repositoryStatus(dir: string, { clock }: { clock: Clock }): Promise<RepositoryStatus> {
  const root = (await readRoot(dir)).signed;
  const revision = await readRevision(dir);
  const published = {
    root,
    timestamp: revision && parseTimestamp(revision.timestamp).signed,
    snapshot: revision && parseSnapshot(revision.snapshot).signed,
    targets: revision && parseTargets(revision.targets).signed,
  };
  const roles = TOP_ROLES.map((role): RoleStatus => {
    const file = published[role];
    return { role, version: file?.version, expires: file?.expires, ...root.roles[role] };
  });
  const draft = (await readDraft(dir)) === undefined ? [] : [waiting()];
  const exposed = (await listKeys(keysDirectory(dir))).filter((key) => key.exposed).map((key) => exposedKey(key.file));
  return {
    name: root.name,
    fingerprint: await fingerprint(root, nodeHasher),
    roles,
    expires: Math.min(...roles.flatMap((role) => role.expires ?? [])),
    warnings: [...roles.flatMap((role) => expiryWarning(role, clock.now())), ...exposed, ...draft],
  };
}

function expiryWarning({ role, expires }: RoleStatus, now: number): readonly StatusWarning[] {
  if (expires === undefined || expires > now + DEFAULT_LIFETIMES[role] * SOON) return [];
  const todo = { root: 'export it and have it signed', timestamp: 'run `moss repo refresh`', snapshot: 'publish again', targets: 'publish again' }[role];
  const gone = expires <= now;
  const message = gone
    ? `The ${role} metadata expired at ${formatTime(expires)}: nobody can install or update from this repository. To mend it, ${todo}.`
    : `The ${role} metadata expires at ${formatTime(expires)}. Before then, ${todo}.`;
  return [{ type: gone ? 'expired' : 'expires-soon', message }];
}

function exposedKey(file: string): StatusWarning {
  return { type: 'exposed-key', message: `${file} can be read by others: run \`chmod 600\` on it, and replace the key if that was so for long.` };
}

function waiting(): StatusWarning {
  return { type: 'draft-waits', message: 'A new root waits for signatures; until it has them, the old one counts.' };
}

/** Every key that the root names or that has a file here. */
export async function listRepositoryKeys(dir: string): Promise<readonly RepositoryKey[]> {
  const root = (await readRoot(dir)).signed;
  const files = new Map((await listKeys(keysDirectory(dir))).map((file) => [file.keyId, file]));
  const ids = new Set([...TOP_ROLES.flatMap((role) => root.roles[role].keyIds), ...files.keys()]);
  return [...ids].map((keyId) => ({ keyId, roles: TOP_ROLES.filter((role) => root.roles[role].keyIds.includes(keyId)), file: files.get(keyId) }));
}
