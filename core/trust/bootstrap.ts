import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { MetadataFetcher, MetadataStore } from '../ports/metadata.ts';
import type { Verifier } from '../ports/signer.ts';
import type { TrustHasher } from './content.ts';
import { LIMITS, fetchMetadata, fetchRequired } from './download.ts';
import { fingerprint, formatFingerprint } from './fingerprint.ts';
import { ANCHOR, fileOf, forgetLastSeen } from './local.ts';
import { TOP_ROLES, parseRoot } from './metadata.ts';
import { checkFirstRoot } from './rules.ts';

/** A root that nobody trusts yet: it is for a person, or a fingerprint, to say whether it is the right one. */
export interface FoundRoot {
  readonly bytes: Uint8Array;
  readonly version: number;
  /** 64 hex digits; `formatFingerprint` makes it readable. */
  readonly fingerprint: string;
}

interface FindOptions extends AbortOptions {
  /** 64 hex digits, from `parseFingerprint`. */
  readonly fingerprint?: string | undefined;
}

/**
 * The newest root that a source offers; with a fingerprint, the newest that has it. An older root is as good an
 * anchor as a new one: the chain from there is checked at the first refresh.
 *
 * @throws MossError `wrong-fingerprint`, `metadata-missing`, and those of parsing and signature checks
 */
export async function findRoot(
  deps: { fetcher: MetadataFetcher; verifier: Verifier; hasher: TrustHasher },
  options: FindOptions = {},
): Promise<FoundRoot> {
  const download = { fetcher: deps.fetcher, signal: options.signal };
  let bytes: Uint8Array | undefined = await fetchRequired(download, '1.root.json', LIMITS.root);
  let found: FoundRoot | undefined;
  let shown = '';
  for (let version = 1; bytes !== undefined && version <= LIMITS.rootRotations; version += 1) {
    const root = parseRoot(bytes);
    await checkFirstRoot(root, deps.verifier);
    shown = await fingerprint(root.signed, deps.hasher);
    if (options.fingerprint === undefined || options.fingerprint === shown) found = { bytes, version: root.signed.version, fingerprint: shown };
    bytes = await fetchMetadata(download, `${version + 1}.root.json`, LIMITS.root);
  }
  if (found !== undefined) return found;
  throw new MossError('wrong-fingerprint', `The root keys of this repository have the fingerprint ${formatFingerprint(shown)}, not the one that was given.`, {
    hint: 'Do not add it, unless the publisher confirms this fingerprint in another way.',
    data: { found: shown },
  });
}

/**
 * Makes a root the beginning of trust, once a person or a fingerprint has said that it is the right one. What the
 * store held of the repository before is forgotten.
 *
 * @throws MossError `bad-metadata`, `bad-signature` when it is not a root that signs itself
 */
export async function initTrust(deps: { store: MetadataStore; verifier: Verifier }, root: Uint8Array): Promise<void> {
  await checkFirstRoot(parseRoot(root), deps.verifier);
  await forgetLastSeen(deps.store);
  for (const role of TOP_ROLES) await deps.store.delete(fileOf(role));
  await deps.store.put(ANCHOR, root);
  await deps.store.put(fileOf('root'), root);
}
