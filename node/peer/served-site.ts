/** A published site as a peer sees it: whose it is, and what of it no peer is told of. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseCid } from '../../core/dag/cid.ts';
import { decodeManifest, manifestLinks } from '../../core/dag/manifest.ts';
import { decodeRoot } from '../../core/dag/root.ts';
import { fetchBlock, fetchIndex } from '../../core/exchange/index-fetch.ts';
import { MemoryMetadataStore } from '../../core/memory/metadata-store.ts';
import { PackageIndex } from '../../core/repo/index-file.ts';
import { findRoot, initTrust } from '../../core/trust/bootstrap.ts';
import { refreshTrustFrom } from '../../core/trust/refresh-from.ts';
import { nodeClock } from '../clock.ts';
import { nodeHasher } from '../hasher.ts';
import { DirectorySource } from '../net/directory-source.ts';
import { BlockDirectory } from '../store/block-directory.ts';
import { directoryMetadataFetcher } from '../trust/directory-fetcher.ts';
import { nodeVerifier } from '../trust/verifier.ts';
import { nodeCompressor } from '../zstd.ts';

export interface ServedSite {
  /** Of its root keys, 32 bytes. */
  fingerprint: Uint8Array;
  /** Blocks of packages that must not be announced, and of no others, by the text of their CIDs. */
  forbidden: ReadonlySet<string>;
}

/**
 * Reads what a site has signed.
 *
 * @throws MossError of trust, where it is no site, or one that expired
 */
export async function readServedSite(site: string): Promise<ServedSite> {
  const fetcher = directoryMetadataFetcher(join(site, 'metadata'));
  const verifier = nodeVerifier();
  const root = await findRoot({ fetcher, verifier, hasher: nodeHasher });
  const fingerprint = Buffer.from(root.fingerprint, 'hex');
  if (statSync(join(site, 'metadata', 'timestamp.json'), { throwIfNoEntry: false }) === undefined) return { fingerprint, forbidden: new Set() };
  const trust = { store: new MemoryMetadataStore(), verifier, hasher: nodeHasher, clock: nodeClock };
  await initTrust(trust, root.bytes);
  const { rootCid, rootSize } = await refreshTrustFrom(trust, [fetcher]);
  const deps = { sources: [new DirectorySource(site)], clock: nodeClock, hasher: nodeHasher };
  const { bytes } = await fetchIndex(decodeRoot(await fetchBlock(rootCid, rootSize, deps)), { ...deps, compressor: nodeCompressor });
  return { fingerprint, forbidden: forbiddenBlocks(site, new PackageIndex(bytes)) };
}

function forbiddenBlocks(site: string, index: PackageIndex): Set<string> {
  const blocks = new BlockDirectory(join(site, 'blocks'));
  const all = [...index.entries()];
  const forbidden = new Set<string>();
  if (all.every(({ announce }) => announce)) return forbidden;
  const linksOf = (manifest: string): string[] => {
    const bytes = readFileSync(blocks.pathOf(parseCid(manifest)));
    return [manifest, ...manifestLinks(decodeManifest(bytes)).map(String)];
  };
  for (const { announce, manifest } of all) if (!announce) for (const cid of linksOf(manifest)) forbidden.add(cid);
  // A block that another package has as well tells of that one.
  for (const { announce, manifest } of all) if (announce) for (const cid of linksOf(manifest)) forbidden.delete(cid);
  return forbidden;
}
