#!/usr/bin/env node
/**
 * The client of moss behind the command line that the public TUF conformance suite speaks:
 * `init`, `refresh` and `download`, as its CLIENT-CLI.md describes them. `tuf-conformance.test.ts` runs the suite.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { initTrust } from '../../core/trust/bootstrap.ts';
import { refreshMetadata } from '../../core/trust/client.ts';
import { type TrustHasher, checkContent } from '../../core/trust/content.ts';
import { MossError } from '../../core/error.ts';
import { fetchBytes } from '../../core/exchange/http.ts';
import { webMetadataFetcher } from '../../core/exchange/metadata-fetcher.ts';
import { findTarget, targetNames } from '../../core/trust/find-target.ts';
import type { TrustDeps } from '../../core/trust/trusted.ts';
import { nodeClock } from '../../node/clock.ts';
import { nodeHasher } from '../../node/hasher.ts';
import { nodeFetch } from '../../node/net/fetch.ts';
import { directoryMetadataStore } from '../../node/trust/metadata-store.ts';
import { nodeVerifier } from '../../node/trust/verifier.ts';
import { writeDurably } from '../../node/trust/write-durably.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'metadata-dir': { type: 'string', default: '.' },
    'metadata-url': { type: 'string', default: '' },
    'target-name': { type: 'string', multiple: true, default: [] },
    'target-base-url': { type: 'string', default: '' },
    'target-dir': { type: 'string', default: '.' },
  },
});

const web = { fetch: nodeFetch, clock: nodeClock };
const hasher: TrustHasher = { ...nodeHasher, sha512: (bytes) => createHash('sha512').update(bytes).digest() };
const deps: TrustDeps = {
  store: directoryMetadataStore(values['metadata-dir']),
  fetcher: webMetadataFetcher({ ...web, url: values['metadata-url'].replace(/\/metadata\/?$/, '') }),
  verifier: nodeVerifier(),
  hasher,
  clock: { ...nodeClock, now },
};

/** The suite sets the time by a program named `faketime`; where that is missing, a stand-in sets this variable. */
function now(): number {
  const set = process.env['MOSS_TUF_NOW'];
  return set === undefined ? Date.now() : Date.parse(set.replace(' ', 'T'));
}

async function run(): Promise<void> {
  const [command, trustedRoot] = positionals;
  if (command === 'init' && trustedRoot !== undefined) return initTrust(deps, await readFile(trustedRoot));
  if (command === 'refresh') return void (await refreshMetadata(deps));
  if (command === 'download') return download(values['target-name']);
  throw new MossError('usage', 'one of: init ROOT, refresh, download');
}

async function download(paths: readonly string[]): Promise<void> {
  const metadata = await refreshMetadata(deps);
  for (const path of paths) {
    const target = await findTarget(deps, metadata, path);
    if (target === undefined) throw new MossError('not-found', `no role speaks for ${path}`);
    const file = join(values['target-dir'], encodeURIComponent(path));
    if (await isThere(file, target)) continue;
    const [name = ''] = targetNames(target, metadata.root.signed.consistentSnapshot);
    const base = values['target-base-url'].replace(/\/?$/, '/');
    const bytes = await fetchBytes(`${base}${name}`, { ...web, maxBytes: target.length });
    await checkContent(path, bytes, target, hasher);
    await writeDurably(file, bytes);
  }
}

async function isThere(file: string, target: Parameters<typeof checkContent>[2]): Promise<boolean> {
  try {
    await checkContent(file, await readFile(file), target, hasher);
    return true;
  } catch {
    return false;
  }
}

try {
  await run();
} catch (error) {
  console.error(error instanceof MossError ? `${error.code}: ${error.message}` : error);
  process.exitCode = 1;
}
