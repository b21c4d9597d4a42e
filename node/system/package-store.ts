/** Manifests and file tables of a root: read from its blocks, fetched where they are missing. */
import type { Cid } from '../../core/dag/cid.ts';
import { MAX_BLOCK_SIZE, verifyBlock } from '../../core/dag/block.ts';
import { decodeCbor, encodeCbor } from '../../core/dag/codec.ts';
import { collapseManifest, expandManifest } from '../../core/dag/delta.ts';
import { readManifest, type Manifest, type Part } from '../../core/dag/manifest.ts';
import { decodeTable } from '../../core/dag/read-table.ts';
import type { Table } from '../../core/dag/table.ts';
import { MossError } from '../../core/error.ts';
import { fetchBlocks, type SessionOptions, type SessionReport, type Want } from '../../core/exchange/session.ts';
import type { PlannedPart } from '../../core/install/plan.ts';
import type { InstalledPackage } from '../../core/install/state.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { DecompressOptions } from '../../core/ports/compressor.ts';
import type { Source } from '../../core/ports/source.ts';
import { nodeClock } from '../clock.ts';
import { nodeHasher } from '../hasher.ts';
import { BlockDirectory } from '../store/block-directory.ts';
import type { Layout } from '../store/layout.ts';
import { nodeCompressor } from '../zstd.ts';
import { checkFrames } from './check-frames.ts';
import { FetchedBlocks } from './fetched-blocks.ts';

/** A package with the tables of the components that are wanted. */
export interface LoadedPackage {
  manifest: Manifest;
  parts: LoadedPart[];
}

export interface LoadedPart extends PlannedPart {
  component: string;
  /** Counts the parts of all components of the manifest. */
  number: number;
}

/** A manifest, and the value of its block: both speak of the same tables. */
interface ReadManifest {
  value: unknown;
  manifest: Manifest;
}

export interface FetchOptions extends AbortOptions {
  sources: readonly Source[];
  /** Sources that are found while others are asked already, and what becomes of those that lie. */
  peers?: (Pick<SessionOptions, 'join' | 'onBan'> & { known?: readonly Source[] }) | undefined;
  onBytes?: ((source: Source, count: number) => void) | undefined;
}

export class PackageStore {
  readonly #blocks: BlockDirectory;
  readonly #manifests = new Map<string, ReadManifest>();
  /** What tables unpack to that a delta was undone with or brought, until they are read. */
  readonly #plain = new WeakMap<Uint8Array, Uint8Array>();
  readonly #tables = new WeakMap<Part, Table>();
  readonly #fetched = new FetchedBlocks();

  constructor(layout: Layout) {
    this.#blocks = new BlockDirectory(layout.blocks);
  }

  /** Fetches the manifests and tables that are not here, each verified before it is kept. */
  async fetch(wanted: readonly { manifest: Cid; wants: (component: string) => boolean }[], options: FetchOptions): Promise<void> {
    await this.#fetch(wanted.map(({ manifest }) => ({ cid: manifest, maxBytes: MAX_BLOCK_SIZE })), options);
    const tables: Want[] = [];
    for (const { manifest, wants } of wanted) {
      for (const component of (await this.manifest(manifest)).components) {
        if (!wants(component.name)) continue;
        for (const { table, tableSize } of component.parts) if (!(table instanceof Uint8Array)) tables.push({ cid: table, maxBytes: tableSize });
      }
    }
    await this.#fetch(tables, options);
  }

  async manifest(cid: Cid): Promise<Manifest> {
    return (await this.#read(cid)).manifest;
  }

  /** The value of a manifest with its tables unpacked: what the delta of an update starts from. */
  async expanded(cid: Cid): Promise<unknown> {
    const { value } = await this.#read(cid);
    return expandManifest(value, {
      decompress: (bytes, options) => {
        const plain = nodeCompressor.decompress(bytes, options);
        this.#plain.set(bytes, plain);
        return plain;
      },
    });
  }

  /**
   * Takes in a manifest that a delta brought, unless it is here.
   *
   * @throws MossError `bad-block` when it is another one
   */
  async addExpanded(cid: Cid, expanded: unknown): Promise<void> {
    if (this.#manifests.has(cid.toString()) || (await this.block(cid)) !== undefined) return;
    const value = await collapseManifest(expanded, {
      compress: (plain, options) => {
        const bytes = nodeCompressor.compress(plain, options);
        this.#plain.set(bytes, plain);
        return bytes;
      },
    });
    await this.add(cid, encodeCbor(value));
    this.#manifests.set(cid.toString(), { value, manifest: readManifest(value) });
  }

  /** @param onTable told of each table as soon as it is read; it goes on when this resolves */
  async load(cid: Cid, wants: (component: string) => boolean, onTable?: (table: Table) => Promise<void>): Promise<LoadedPackage> {
    const manifest = await this.manifest(cid);
    const parts: LoadedPart[] = [];
    let number = -1;
    for (const component of manifest.components) {
      for (const part of component.parts) {
        number++;
        if (!wants(component.name)) continue;
        const table = await this.#table(part);
        parts.push({ component: component.name, number, part, table, dictionary: manifest.dictionary });
        await onTable?.(table);
      }
    }
    return { manifest, parts };
  }

  /** A block of the root, verified; `undefined` where it is not here, or torn. */
  async block(cid: Cid): Promise<Uint8Array | undefined> {
    const bytes = await this.#blocks.get(cid);
    if (bytes === undefined || (await isBlock(cid, bytes))) return bytes;
    // Torn by a power cut: it is taken away, so that it is fetched again.
    await this.#blocks.delete(cid);
    return undefined;
  }

  /**
   * Takes in a block that was made here.
   *
   * @throws MossError `bad-block` when it is another one
   */
  async add(cid: Cid, bytes: Uint8Array): Promise<void> {
    await verifyBlock(cid, bytes, nodeHasher);
    await this.#blocks.put(cid, bytes);
  }

  /** Blocks in the order of the wants: those that are not here are fetched, and each is verified before it is kept. */
  async fetchBlocks(wants: readonly Want[], options: FetchOptions): Promise<Uint8Array[]> {
    return (await this.fetchAvailable(wants, options)).map((bytes) => {
      if (bytes instanceof MossError) throw bytes;
      return bytes;
    });
  }

  /** The same; of those that are optional, and cannot be had, the reason. */
  async fetchAvailable(wants: readonly Want[], options: FetchOptions): Promise<(Uint8Array | MossError)[]> {
    const blocks = new Map<string, Uint8Array | MossError>();
    const missed = await this.#fetch(wants, options, (cid, bytes) => blocks.set(cid.toString(), bytes));
    for (const [{ cid }, error] of missed) blocks.set(cid.toString(), error);
    return wants.map(({ cid }) => {
      const bytes = blocks.get(cid.toString());
      if (bytes === undefined) throw new MossError('bug', `${cid.toString()} was fetched, and is not here`);
      return bytes;
    });
  }

  /** The blocks of an installed package that are missing, or not what their names say. */
  async broken({ manifest, components }: InstalledPackage): Promise<{ path: string; problem: 'missing' | 'altered' }[]> {
    const found: { path: string; problem: 'missing' | 'altered' }[] = [];
    const whole = async (cid: Cid): Promise<Uint8Array | undefined> => {
      const bytes = await this.#blocks.get(cid);
      const problem = bytes === undefined ? 'missing' : (await isBlock(cid, bytes)) ? undefined : 'altered';
      if (problem === undefined) return bytes;
      found.push({ path: this.#blocks.pathOf(cid), problem });
      return undefined;
    };
    const bytes = await whole(manifest);
    if (bytes === undefined) return found;
    for (const component of this.#remember(manifest, bytes).manifest.components) {
      if (!components.includes(component.name)) continue;
      for (const { table } of component.parts) {
        if (table instanceof Uint8Array) continue;
        const packed = await whole(table);
        if (packed !== undefined) this.#fetched.put(table, packed);
      }
    }
    return found;
  }

  async #table(part: Part): Promise<Table> {
    const known = this.#tables.get(part);
    if (known !== undefined) return known;
    const bytes = part.table instanceof Uint8Array ? part.table : await this.#block(part.table);
    const table = await decodeTable(bytes, part.tablePlain, { decompress: (packed, options) => this.#unpack(packed, options) });
    checkFrames(part, table);
    this.#tables.set(part, table);
    return table;
  }

  #unpack(bytes: Uint8Array, options: DecompressOptions): Uint8Array {
    const plain = this.#plain.get(bytes);
    if (plain?.length !== options.size) return nodeCompressor.decompress(bytes, options);
    this.#plain.delete(bytes);
    return plain;
  }

  async #read(cid: Cid): Promise<ReadManifest> {
    return this.#manifests.get(cid.toString()) ?? this.#remember(cid, await this.#block(cid));
  }

  /** @param bytes of the block, verified */
  #remember(cid: Cid, bytes: Uint8Array): ReadManifest {
    const known = this.#manifests.get(cid.toString());
    if (known !== undefined) return known;
    const value = decodeCbor(bytes, 'bad-manifest', 'a manifest');
    const read = { value, manifest: readManifest(value) };
    this.#manifests.set(cid.toString(), read);
    return read;
  }

  async #block(cid: Cid): Promise<Uint8Array> {
    return this.#fetched.take(cid) ?? this.#stored(cid);
  }

  async #stored(cid: Cid): Promise<Uint8Array> {
    const bytes = await this.#blocks.get(cid);
    if (bytes === undefined) {
      throw new MossError('damaged', `the record of an installed package is gone: ${cid.toString()}`, { hint: 'Run `moss verify --repair`.' });
    }
    if (!(await isBlock(cid, bytes))) {
      throw new MossError('damaged', `the record of an installed package was altered: ${this.#blocks.pathOf(cid)}`, { hint: 'Run `moss verify --repair`.' });
    }
    return bytes;
  }

  async #fetch(wants: readonly Want[], { sources, peers: { known = [], ...asked } = {}, signal, onBytes }: FetchOptions, onBlock?: (cid: Cid, bytes: Uint8Array) => void): Promise<SessionReport['missed']> {
    const missing: Want[] = [];
    for (const want of wants) {
      // What was read is here, and right.
      if (onBlock === undefined && this.#manifests.has(want.cid.toString())) continue;
      const bytes = (await this.#blocks.has(want.cid)) ? await this.block(want.cid) : undefined;
      if (bytes === undefined) missing.push(want);
      else onBlock?.(want.cid, bytes);
    }
    const { missed } = await fetchBlocks(missing, {
      ...asked,
      sources: [...sources, ...known],
      signal,
      onBytes,
      clock: nodeClock,
      accept: async ({ cid }, bytes) => {
        await verifyBlock(cid, bytes, nodeHasher);
        await this.#blocks.put(cid, bytes);
        if (onBlock === undefined) this.#fetched.put(cid, bytes);
        else onBlock(cid, bytes);
      },
    });
    return missed;
  }
}

async function isBlock(cid: Cid, bytes: Uint8Array): Promise<boolean> {
  try {
    await verifyBlock(cid, bytes, nodeHasher);
    return true;
  } catch {
    return false;
  }
}
