/** A new revision of a repository: packages in, a signed static site out. The old revision stays until the last step. */
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { cborBlock, sameBytes, type Block } from '../../core/dag/block.ts';
import { parseCid, type Cid } from '../../core/dag/cid.ts';
import { decodeManifest, manifestLinks } from '../../core/dag/manifest.ts';
import { LINKS_PER_BLOCK, rootValue, type Root } from '../../core/dag/root.ts';
import type { Listener } from '../../core/install/event.ts';
import { encodeIndex, PackageIndex, type IndexEntry } from '../../core/repo/index-file.ts';
import type { DirectoryWords } from '../source/directory.ts';
import { nodeClock } from '../clock.ts';
import { nodeHasher } from '../hasher.ts';
import { Lock } from '../store/lock.ts';
import { Pool, workerUrl } from '../threads/pool.ts';
import { DEFAULT_DELTAS, makeDeltas, type DeltaOptions } from './deltas/deltas.ts';
import { ImportCache, importKey, type CachedImport } from './import-cache.ts';
import type { ImportResult, ImportTask } from './import-worker.ts';
import { writeIndex } from './index-file.ts';
import { listInputs } from './inputs.ts';
import { pruneIndexes } from './retention.ts';
import { Repository } from './site.ts';

export interface PublishOptions {
  /** The repository's directory. */
  directory: string;
  /** Package files, directories, and `stone.index` files. */
  inputs: readonly string[];
  /** For directories that do not say it themselves. */
  words: DirectoryWords;
  /** Packages to take out: `name` or `name=version`. */
  remove?: readonly string[] | undefined;
  deltas?: DeltaOptions | undefined;
  /** Signs the new root and switches the site over: the one step that makes the revision real. */
  sign: (root: { cid: Cid; size: number }) => Promise<void>;
  /** The root block of the present revision, if there is one. */
  current: () => Promise<Cid | undefined>;
  /** The name of the repository. */
  repository: string;
  onEvent: Listener;
  signal?: AbortSignal | undefined;
}

export interface Published {
  revision: number;
  root: Cid;
  /** False when nothing was new: the site is as it was. */
  changed: boolean;
  /** How many packages were packed, and how many were known. */
  packed: number;
  unchanged: number;
  removed: number;
  packages: number;
  /** Bytes: of the given files, of the frames, and of manifests and tables, for the given packages. */
  inputBytes: number;
  frameBytes: number;
  manifestBytes: number;
  /** Bytes of the frames that bring packed documents as they are, for who takes those instead. */
  verbatimBytes: number;
  /** Deltas from earlier releases: how many there are, how many were made now, and the bytes of those for the newest releases. */
  deltas: number;
  deltasMade: number;
  deltaBytes: number;
  /** Packages with maintainer scripts, and which. */
  scripts: { name: string; scripts: string[] }[];
}

export async function publish(options: PublishOptions): Promise<Published> {
  const repository = Repository.open(options.directory);
  const lock = await Lock.take(repository.lock, {
    onWait: () => options.onEvent({ type: 'waiting', what: 'another `moss publish` on this repository' }),
    signal: options.signal,
  });
  try {
    await repository.begin();
    const published = await publishLocked(repository, options);
    repository.finish();
    return published;
  } finally {
    lock.release();
  }
}

async function publishLocked(repository: Repository, options: PublishOptions): Promise<Published> {
  const { onEvent, signal } = options;
  const currentCid = await options.current();
  const current = currentCid && (await repository.root(currentCid));
  const entries = new Map<string, IndexEntry>();
  if (current !== undefined) {
    for (const entry of new PackageIndex(await repository.file(current.index)).entries()) entries.set(keyOf(entry), entry);
  }
  const before = [...entries.values()];
  const imported = await importAll(repository, options);
  let removed = 0;
  for (const [key, entry] of entries) {
    if (options.remove?.some((wanted) => wanted === entry.name || wanted === `${entry.name}=${entry.version}`) !== true) continue;
    entries.delete(key);
    removed++;
  }
  for (const { entry } of imported.results) {
    const there = entries.get(keyOf(entry));
    if (there !== undefined && there.manifest !== entry.manifest) {
      onEvent({
        type: 'warning',
        message: `${entry.name} ${entry.version} was published before with other content`,
        hint: 'Machines that have it will not see the change: raise the version.',
      });
    }
    entries.set(keyOf(entry), entry);
  }
  signal?.throwIfAborted();
  onEvent({ type: 'step', step: 'deltas' });
  const deltas = await makeDeltas(repository, {
    ...(options.deltas ?? DEFAULT_DELTAS),
    entries: [...entries.values()],
    before,
    onEvent,
    signal,
  });
  onEvent({ type: 'step', step: 'sign' });
  const summary = {
    packed: imported.packed,
    unchanged: imported.results.length - imported.packed,
    removed,
    packages: entries.size,
    inputBytes: imported.inputBytes,
    frameBytes: imported.results.reduce((sum, each) => sum + each.frameBytes, 0),
    manifestBytes: imported.results.reduce((sum, each) => sum + each.manifestBytes, 0),
    verbatimBytes: imported.results.reduce((sum, each) => sum + each.verbatimBytes, 0),
    deltas: deltas.count,
    deltasMade: deltas.made,
    deltaBytes: deltas.bytes,
    scripts: imported.scripts,
  };
  const index = encodeIndex(entries.values());
  const isSame = current !== undefined && sameBytes(current.index.sha256, nodeHasher.sha256(index)) && current.deltas?.toString() === deltas.top?.toString();
  if (isSame && currentCid !== undefined) {
    return { revision: current.revision, root: currentCid, changed: false, ...summary };
  }
  const root: Root = {
    name: options.repository,
    revision: (current?.revision ?? 0) + 1,
    index: await writeIndex(repository, index, current && currentCid && { cid: currentCid, root: current }),
    manifests: await linkBlocks(repository, [...entries.values()].map((entry) => entry.manifest)),
    deltas: deltas.top,
    previous: currentCid,
  };
  const block = await cborBlock(rootValue(root), nodeHasher);
  await repository.blocks.put(block.cid, block.bytes);
  await repository.blocks.sync();
  signal?.throwIfAborted();
  await options.sign({ cid: block.cid, size: block.bytes.length });
  await pruneIndexes(repository, root, nodeClock.now());
  return { revision: root.revision, root: block.cid, changed: true, ...summary };
}

interface Imported {
  results: CachedImport[];
  packed: number;
  inputBytes: number;
  scripts: { name: string; scripts: string[] }[];
}

/** Imports every input, the largest first, one package a thread. */
async function importAll(repository: Repository, options: PublishOptions): Promise<Imported> {
  const { onEvent, signal } = options;
  const inputs = await listInputs(options.inputs);
  const cache = new ImportCache(repository.cache);
  const pool = new Pool<ImportTask, ImportResult>(workerUrl(import.meta.url, './import-worker'), {
    size: Math.max(1, availableParallelism()),
    onEvent: (bytes) => {
      if (typeof bytes === 'number') onEvent({ type: 'done', unit: 'bytes', count: bytes });
    },
    signal,
  });
  const out: Imported = { results: [], packed: 0, inputBytes: 0, scripts: [] };
  try {
    onEvent({ type: 'step', step: 'import' });
    onEvent({ type: 'total', unit: 'packages', count: inputs.length });
    const one = async (file: string): Promise<void> => {
      const stat = statSync(file);
      // A directory counts by the content that it brings.
      const count = ({ entry }: CachedImport): void => void (out.inputBytes += stat.isFile() ? stat.size : entry.size);
      const words = stat.isDirectory() ? options.words : {};
      const key = importKey(file, words);
      const known = cache.get(key);
      // What the site has lost comes back with its package: to look for it is little beside hashing the file.
      if (known !== undefined && (await repository.holds(parseCid(known.entry.manifest), (bytes) => manifestLinks(decodeManifest(bytes)), { thorough: true }))) {
        out.results.push(known);
        count(known);
      } else {
        const result = await pool.run({ file, blocks: repository.blocks.directory, work: repository.work, words });
        out.results.push(result);
        count(result);
        out.packed++;
        if (result.scripts.length > 0) out.scripts.push({ name: result.entry.name, scripts: result.scripts });
        cache.set(key, result);
      }
      onEvent({ type: 'done', unit: 'packages', count: 1 });
    };
    await Promise.all(inputs.map(one));
  } finally {
    await pool.close();
    cache.close();
  }
  out.results.sort((a, b) => (keyOf(a.entry) < keyOf(b.entry) ? -1 : 1));
  out.scripts.sort((a, b) => (a.name < b.name ? -1 : 1));
  return out;
}

/** Blocks of links to every manifest, for whoever pins the repository by its root. */
async function linkBlocks(repository: Repository, manifests: readonly string[]): Promise<Cid[]> {
  const blocks: Block[] = [];
  for (let at = 0; at < manifests.length; at += LINKS_PER_BLOCK) {
    blocks.push(await cborBlock(manifests.slice(at, at + LINKS_PER_BLOCK).map(parseCid), nodeHasher));
  }
  for (const { cid, bytes } of blocks) await repository.blocks.put(cid, bytes);
  return blocks.map(({ cid }) => cid);
}

function keyOf({ name, version, release, architecture }: IndexEntry): string {
  return `${name}\0${version}\0${release}\0${architecture}`;
}
