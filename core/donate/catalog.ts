/** What a repository signed: its root block and its index, from metadata to entries, each step verified. */
import { MAX_BLOCK_SIZE, sameBytes } from '../dag/block.ts';
import type { Cid } from '../dag/cid.ts';
import { decodeRoot, type Root } from '../dag/root.ts';
import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compressor } from '../ports/compressor.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { MetadataFetcher, MetadataStore } from '../ports/metadata.ts';
import type { Verifier } from '../ports/signer.ts';
import type { IndexEntry } from '../repo/index-entry.ts';
import { PackageIndex } from '../repo/index-file.ts';
import { findRoot, initTrust } from '../trust/bootstrap.ts';
import { loadRoot } from '../trust/client.ts';
import { fingerprint } from '../trust/fingerprint.ts';
import { fileOf } from '../trust/local.ts';
import { refreshTrustFrom } from '../trust/refresh-from.ts';

/** The part of `Compressor` that a donor needs: it makes no frames. */
export type Decompressor = Pick<Compressor, 'decompress'>;

export interface CatalogDeps extends AbortOptions {
  readonly records: MetadataStore;
  readonly fetcher: MetadataFetcher;
  readonly verifier: Verifier;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly decompressor: Decompressor;
  /** Gets verified blocks, from what is here or from elsewhere. */
  readonly obtain: Obtain;
  /** The keys are known, by the fingerprint: peers of the repository can be looked for, who may have the rest. */
  readonly onTrusted?: ((fingerprint: string) => void) | undefined;
}

/** Each of the blocks, verified. Rejects when one is not to be had. */
export type Obtain = (wants: readonly { cid: Cid; maxBytes: number }[]) => Promise<ReadonlyMap<string, Uint8Array>>;

export interface Catalog {
  readonly root: Root;
  readonly rootCid: Cid;
  readonly rootSize: number;
  /** 64 hex digits. */
  readonly fingerprint: string;
  readonly entries: readonly IndexEntry[];
}

/** Entries that are read before others get a turn: about 10 ms. */
const RUN = 500;

/**
 * Makes the keys of a site the beginning of trust, where there are none.
 *
 * @param expected 64 hex digits that a person was told
 * @returns the fingerprint of the keys
 * @throws MossError `wrong-fingerprint`, and those of trust
 */
export async function beginTrust({ records, fetcher, verifier, hasher, signal }: CatalogDeps, expected: string | undefined): Promise<string> {
  if ((await records.get(fileOf('root'))) === undefined) {
    const found = await findRoot({ fetcher, verifier, hasher }, { fingerprint: expected, signal });
    await initTrust({ store: records, verifier }, found.bytes);
  }
  const root = await loadRoot({ store: records, verifier, tell: () => undefined });
  return fingerprint(root.signed, hasher);
}

/**
 * The newest revision that can be verified. Where the site does not answer, that is the one which was seen last, as
 * long as its signatures have not expired.
 */
export async function readCatalog(deps: CatalogDeps, expected: string | undefined): Promise<Catalog> {
  const { records, fetcher, verifier, hasher, clock, obtain, signal } = deps;
  const shown = await beginTrust(deps, expected);
  deps.onTrusted?.(shown);
  const trust = { store: records, verifier, hasher, clock };
  const { rootCid, rootSize } = await refreshTrustFrom(trust, [fetcher, keptMetadata(records)], { signal });
  const bytes = (await obtain([{ cid: rootCid, maxBytes: Math.min(rootSize, MAX_BLOCK_SIZE) }])).get(rootCid.toString());
  if (bytes === undefined) throw new MossError('bug', 'the root was obtained and is not there');
  const root = decodeRoot(bytes);
  const index = new PackageIndex(await readIndex(root, deps));
  const entries: IndexEntry[] = [];
  for (const entry of index.entries()) {
    entries.push(entry);
    if (entries.length % RUN === 0) await clock.sleep(0, { signal });
  }
  return { root, rootCid, rootSize, fingerprint: shown, entries };
}

/** What was verified before is asked of itself: nothing in it is newer, so nothing else is asked for. */
function keptMetadata(records: MetadataStore): MetadataFetcher {
  return { fetch: async (fileName) => (fileName === fileOf('timestamp') ? records.get(fileName) : undefined) };
}

async function readIndex({ index }: Root, { obtain, decompressor, hasher }: CatalogDeps): Promise<Uint8Array> {
  const blocks = await obtain(index.frames.map(({ cid, size }) => ({ cid, maxBytes: size })));
  const bytes = new Uint8Array(index.size);
  let at = 0;
  for (const { cid, plain } of index.frames) {
    bytes.set(await decompressor.decompress(blocks.get(cid.toString()) ?? new Uint8Array(), { size: plain }), at);
    at += plain;
  }
  if (sameBytes(await hasher.sha256(bytes), index.sha256)) return bytes;
  throw new MossError('bad-index', 'the index is not what its root says', { hint: 'The repository is broken as it was published: tell its publisher.' });
}
