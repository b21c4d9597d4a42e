import type { Delegator } from './rules.ts';
import { updateTargetsRole } from './client.ts';
import { LIMITS } from './download.ts';
import type { Delegation, TargetFile, Targets } from './metadata.ts';
import { matchesPath } from './path-pattern.ts';
import { encodeHex, encodeUtf8 } from './text.ts';
import type { TrustDeps, TrustOptions, TrustedMetadata } from './trusted.ts';

export interface FoundTarget extends TargetFile {
  readonly path: string;
  /** The role that speaks for it. */
  readonly role: string;
}

interface Visit {
  readonly role: string;
  /** Loads the role as its delegator authorises it; the same role by another delegator is another question. */
  load(): Promise<Targets>;
}

/**
 * What the metadata says about a target, delegations included: the search of TUF section 5.6.7, in pre-order and
 * depth first, with what it needs fetched on the way. A moss repository has no delegations: this serves others.
 *
 * @throws MossError as `refreshTrust` does, when a role that is needed cannot be had or trusted
 */
export async function findTarget(deps: TrustDeps, metadata: TrustedMetadata, path: string, options: TrustOptions = {}): Promise<FoundTarget | undefined> {
  const update = { ...deps, time: metadata.time, tell: options.onEvent ?? ((): void => {}), signal: options.signal };
  const pathHash = encodeHex(await deps.hasher.sha256(encodeUtf8(path)));
  const stack: Visit[] = [{ role: 'targets', load: async () => metadata.targets.signed }];
  const visited = new Set<string>();
  while (visited.size <= LIMITS.delegations) {
    const visit = stack.pop();
    if (visit === undefined) return undefined;
    if (visited.has(visit.role)) continue;
    const targets = await visit.load();
    const target = targets.targets.get(path);
    if (target !== undefined) return { ...target, path, role: visit.role };
    visited.add(visit.role);
    const next: Visit[] = [];
    const { delegations } = targets;
    for (const delegation of delegations?.roles ?? []) {
      if (delegations === undefined || !speaksFor(delegation, path, pathHash)) continue;
      next.push(visitOf(delegation, { keys: delegations.keys, roleKeys: delegation }));
      if (delegation.terminating) {
        stack.length = 0;
        break;
      }
    }
    stack.push(...next.toReversed());
  }
  return undefined;

  function visitOf(delegation: Delegation, delegator: Delegator): Visit {
    const load = async (): Promise<Targets> => {
      const role = await updateTargetsRole(update, delegation.name, delegator, metadata.snapshot, metadata.root.signed.consistentSnapshot);
      return role.signed;
    };
    return { role: delegation.name, load };
  }
}

function speaksFor(delegation: Delegation, path: string, pathHash: string): boolean {
  if (delegation.paths !== undefined) return delegation.paths.some((pattern) => matchesPath(pattern, path));
  return delegation.pathHashPrefixes?.some((prefix) => pathHash.startsWith(prefix)) ?? false;
}

/**
 * The names under which a target can be had, relative to where targets are (TUF section 5.7.3).
 *
 * @example
 * targetNames({ path: 'a/b', hashes: new Map([['sha256', 'ff']]) }, true); // ['a/ff.b']
 */
export function targetNames(target: { path: string; hashes: ReadonlyMap<string, string> }, consistent: boolean): readonly string[] {
  if (!consistent) return [target.path];
  const cut = target.path.lastIndexOf('/') + 1;
  return [...target.hashes.values()].map((hash) => `${target.path.slice(0, cut)}${hash}.${target.path.slice(cut)}`);
}

