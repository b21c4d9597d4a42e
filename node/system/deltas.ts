/**
 * Deltas of a change: found in the repository's list, fetched, and undone as far as manifests and file tables go. A
 * delta only saves bytes: whatever is wrong with one, the rest of the change goes on without it.
 */
import type { Cid } from '../../core/dag/cid.ts';
import { decodeDelta, type Delta } from '../../core/dag/delta.ts';
import { findDelta, lookUpDeltas } from '../../core/dag/delta-map.ts';
import { MAX_BLOCK_SIZE } from '../../core/dag/block.ts';
import type { Part } from '../../core/dag/manifest.ts';
import { TABLE_LEVEL, type Table } from '../../core/dag/table.ts';
import { MossError } from '../../core/error.ts';
import { knownFrames, type KnownDeltaFrame } from '../../core/install/delta.ts';
import type { Want } from '../../core/exchange/session.ts';
import { nodeCompressor, tableCompression } from '../zstd.ts';
import type { FetchOptions, LoadedPackage, PackageStore } from './package-store.ts';

/** A package of which another version is here. */
export interface Update {
  name: string;
  /** Manifests that are here, the active state's first. */
  from: readonly Cid[];
  to: Cid;
}

/** A delta that was fetched, by the name of its package. */
export type Deltas = ReadonlyMap<string, Delta>;

export interface DeltaFetchOptions extends FetchOptions {
  /** The top of the repository's list. */
  listed: Cid;
  /** @param what is not used, as the subject of a sentence with its verb */
  onTrouble: (what: string, error: MossError) => void;
}

/** Fetches the deltas of some packages, and puts their new manifests and tables together. */
export async function fetchDeltas(store: PackageStore, updates: readonly Update[], options: DeltaFetchOptions): Promise<Deltas> {
  const deltas = new Map<string, Delta>();
  try {
    const found = await lookUpDeltas(options.listed, updates.map(({ name }) => name), (cids) => store.fetchBlocks(cids.map((cid) => ({ cid, maxBytes: MAX_BLOCK_SIZE })), options));
    const chosen = updates.flatMap(({ name, from, to }) => {
      const ref = from.map((each) => findDelta(found.get(name) ?? [], each, to)).find((each) => each !== undefined);
      return ref === undefined ? [] : [{ name, to, ref, from }];
    });
    const blocks = await fetchAvailable(store, chosen.map(({ name, ref: { cid, size } }) => ({ what: `the delta of ${name} is`, cid, maxBytes: size })), options);
    await Promise.all(
      chosen.map(async ({ name, from, to }, i) => {
        const bytes = blocks[i];
        if (bytes === undefined) return;
        try {
          const delta = await openDelta(store, bytes, { from, to });
          await rebuildManifest(store, delta);
          deltas.set(name, delta);
        } catch (error) {
          options.onTrouble(`the delta of ${name} is`, asTrouble(error, options));
        }
      }),
    );
  } catch (error) {
    options.onTrouble('deltas are', asTrouble(error, options));
  }
  try {
    await rebuildTables(store, deltas, options);
  } catch (error) {
    options.onTrouble('deltas of file tables are', asTrouble(error, options));
  }
  return deltas;
}

/**
 * Blocks in the order of the wants, as far as a source has them: whatever else is there need not go without deltas.
 *
 * @throws MossError where none of several can be had: one reason is enough then
 */
async function fetchAvailable(store: PackageStore, wants: readonly (Want & { what: string })[], options: DeltaFetchOptions): Promise<(Uint8Array | undefined)[]> {
  const blocks = await store.fetchAvailable(wants.map(({ cid, maxBytes }) => ({ cid, maxBytes, optional: true })), options);
  const [first] = blocks;
  if (first instanceof MossError && blocks.length > 1 && blocks.every((each) => each instanceof MossError)) throw first;
  return blocks.map((each, i) => {
    if (!(each instanceof MossError)) return each;
    options.onTrouble(wants[i]?.what ?? '', each);
    return undefined;
  });
}

/** The delta frames of a change by package: those whose tables are here at both ends. */
export async function deltaFrames(store: PackageStore, deltas: Deltas, loaded: ReadonlyMap<string, LoadedPackage>, onTrouble: DeltaFetchOptions['onTrouble']): Promise<Map<string, KnownDeltaFrame[]>> {
  const frames = new Map<string, KnownDeltaFrame[]>();
  for (const [name, delta] of deltas) {
    const next = new Map((loaded.get(name)?.parts ?? []).map(({ number, table }) => [number, table]));
    try {
      frames.set(name, knownFrames(delta, await tablesHere(store, delta.from), next));
    } catch (error) {
      onTrouble(`the delta of ${name} is`, asTrouble(error, {}));
    }
  }
  return frames;
}

async function openDelta(store: PackageStore, bytes: Uint8Array, { from, to }: Pick<Update, 'from' | 'to'>): Promise<Delta> {
  return decodeDelta(
    bytes,
    async (pair) => {
      if (!pair.to.equals(to) || !from.some((each) => each.equals(pair.from))) throw new MossError('bad-frame', 'a delta is about other versions than the list says');
      return store.expanded(pair.from);
    },
    nodeCompressor,
  );
}

/** The new manifest from the old one: kept if it is what the index names, else fetched whole as if there was no delta. */
async function rebuildManifest(store: PackageStore, delta: Delta): Promise<void> {
  if (delta.zstd === tableCompression) await store.addExpanded(delta.to, delta.manifest);
}

async function rebuildTables(store: PackageStore, deltas: Deltas, options: DeltaFetchOptions): Promise<void> {
  const wanted: (Want & { what: string; target: Part; base: Uint8Array; plain: number })[] = [];
  for (const [name, delta] of deltas) {
    if (delta.zstd !== tableCompression || delta.tables.length === 0 || (await store.block(delta.to)) === undefined) continue;
    const [oldParts, newParts] = [await partsOf(store, delta.from), await partsOf(store, delta.to)];
    for (const { part, base, ref } of delta.tables) {
      const [old, target] = [oldParts[base], newParts[part]];
      if (old === undefined || target === undefined || target.table instanceof Uint8Array || (await store.block(target.table)) !== undefined) continue;
      const bytes = await plainTable(store, old);
      if (bytes !== undefined && ref.plain === target.tablePlain) wanted.push({ what: `the delta of a file table of ${name} is`, cid: ref.cid, maxBytes: ref.size, target, base: bytes, plain: ref.plain });
    }
  }
  const blocks = await fetchAvailable(store, wanted, options);
  await Promise.all(
    wanted.map(async ({ what, target, base, plain: size }, i) => {
      const bytes = blocks[i];
      if (bytes === undefined || target.table instanceof Uint8Array) return;
      try {
        const plain = nodeCompressor.decompress(bytes, { size, dictionary: base });
        await store.add(target.table, nodeCompressor.compress(plain, { level: TABLE_LEVEL }));
      } catch (error) {
        options.onTrouble(what, asTrouble(error, options));
      }
    }),
  );
}

async function partsOf(store: PackageStore, manifest: Cid): Promise<Part[]> {
  return (await store.manifest(manifest)).components.flatMap(({ parts }) => parts);
}

async function plainTable(store: PackageStore, { table, tablePlain }: Part): Promise<Uint8Array | undefined> {
  const bytes = table instanceof Uint8Array ? table : await store.block(table);
  return bytes && nodeCompressor.decompress(bytes, { size: tablePlain });
}

/** The tables of an old version, as far as they are here: components that were left out have none. */
export async function tablesHere(store: PackageStore, manifest: Cid): Promise<Map<number, Table>> {
  const here = new Set<string>();
  for (const { name, parts } of (await store.manifest(manifest)).components) {
    const missing = await Promise.all(parts.map(async ({ table }) => !(table instanceof Uint8Array) && (await store.block(table)) === undefined));
    if (!missing.includes(true)) here.add(name);
  }
  const { parts } = await store.load(manifest, (component) => here.has(component));
  return new Map(parts.map(({ number, table }) => [number, table]));
}

/** What is only a pity; an abort and what nobody expects go on up. */
function asTrouble(error: unknown, { signal }: Pick<FetchOptions, 'signal'>): MossError {
  signal?.throwIfAborted();
  if (error instanceof MossError && error.code !== 'bug' && error.code !== 'disk-full') return error;
  throw error;
}
