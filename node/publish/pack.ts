/** Packs one package: from what was imported to the blocks of its frames and tables, and its manifest. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cborBlock, rawBlock, type Block } from '../../core/dag/block.ts';
import { componentOf } from '../../core/dag/component.ts';
import type { Entry, FileEntry } from '../../core/dag/entry.ts';
import { asFileId, LEAF_SIZE } from '../../core/dag/file-id.ts';
import { manifestValue, type Component, type Dictionary, type Manifest, type Part } from '../../core/dag/manifest.ts';
import { distinctFiles, encodeTable, type Table } from '../../core/dag/table.ts';
import { nodeHasher } from '../hasher.ts';
import { readExactly } from '../read-fully.ts';
import type { ImportedPackage } from '../source/imported.ts';
import type { DirectorySpool } from '../source/spool.ts';
import type { BlockDirectory } from '../store/block-directory.ts';
import { compressInBackground, nodeCompressor } from '../zstd.ts';
import { composeDictionary } from './dictionary.ts';
import { makeFrames, makeVerbatimFrames, type FrameOptions } from './frames.ts';
import { cutParts } from './parts.ts';
import { proveRecipes, type Unpacked } from './recipes.ts';

/** Part of every import's key: raise it when the same input should give other blocks. */
export const PACK_VERSION = 7;

/** Compressed tables up to this many bytes stand in the manifest. */
const INLINE_TABLE = 4096;
/** Bytes of a manifest that parts may fill with tables of their own: the block must stay below its limit. */
const INLINE_TOTAL = 256 * 1024;

export interface Packed {
  manifest: Block;
  /** Bytes of all frames, and of manifest and tables. */
  frameBytes: number;
  manifestBytes: number;
  /** Bytes of the frames that bring packed documents as they are, instead of others. */
  verbatimBytes: number;
  /** Bytes installed, and files. */
  size: number;
  files: number;
}

export interface PackOptions {
  spool: DirectorySpool;
  blocks: BlockDirectory;
  /** A directory for what does not fit in memory; the caller removes it. */
  work: string;
  onProgress?: (bytes: number) => void;
}

export async function packPackage(imported: ImportedPackage, options: PackOptions): Promise<Packed> {
  const work = mkdtempSync(join(options.work, 'pack-'));
  try {
    const { entries, unpacked } = await proveRecipes(imported.entries, options.spool, work);
    const packer = new Packer(options, unpacked);
    const groups = byComponent(entries, imported);
    await packer.compose(groups);
    const components: Component[] = [];
    for (const [name, rows] of groups) components.push(await packer.component(name, rows));
    const value: Manifest = {
      metadata: imported.metadata,
      policy: { announce: imported.announce ?? true },
      scripts: imported.scripts,
      alternatives: imported.alternatives,
      conffiles: imported.conffiles,
      components,
      dictionary: packer.dictionary,
    };
    const manifest = await cborBlock(manifestValue(value), nodeHasher);
    await options.blocks.put(manifest.cid, manifest.bytes);
    return {
      manifest,
      frameBytes: packer.frameBytes,
      verbatimBytes: packer.verbatimBytes,
      manifestBytes: packer.tableBytes + manifest.bytes.length,
      size: components.reduce((sum, component) => sum + component.size, 0),
      files: components.reduce((sum, component) => sum + component.files, 0),
    };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Rows by component, in a fixed order: `main` first, since a package without it would be none. */
function byComponent(entries: readonly Entry[], imported: ImportedPackage): [string, Entry[]][] {
  const groups = new Map<string, Entry[]>([['main', []]]);
  for (const entry of entries) {
    const name = imported.componentOf?.(entry.path) ?? componentOf(entry.path, imported.metadata.format);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [entry]);
    else group.push(entry);
  }
  return [...groups].toSorted(([a], [b]) => Number(b === 'main') - Number(a === 'main') || (a < b ? -1 : 1));
}

class Packer {
  frameBytes = 0;
  verbatimBytes = 0;
  /** Bytes of tables that are blocks of their own. */
  tableBytes = 0;
  dictionary: Dictionary | undefined;
  #dictionaryBytes: FrameOptions['dictionary'];
  #inline = 0;
  readonly #options: PackOptions;
  readonly #unpacked: Unpacked;

  constructor(options: PackOptions, unpacked: Unpacked) {
    this.#options = options;
    this.#unpacked = unpacked;
  }

  /** Makes the dictionary of the package, where it pays. */
  async compose(components: readonly (readonly [string, readonly Entry[]])[]): Promise<void> {
    const bytes = composeDictionary(components, (file) => {
      const content = new Uint8Array(file.size);
      this.#read(file, 0, content);
      return content;
    });
    if (bytes === undefined || bytes.length > LEAF_SIZE) return;
    const content = await rawBlock(bytes, nodeHasher);
    const frame = await rawBlock(await compressInBackground(bytes, { level: 19 }), nodeHasher);
    await this.#options.blocks.put(frame.cid, frame.bytes);
    this.frameBytes += frame.bytes.length;
    this.dictionary = {
      sha256: content.cid.multihash.digest,
      frame: { cid: frame.cid, size: frame.bytes.length, plain: bytes.length },
    };
    this.#dictionaryBytes = { id: asFileId(content.cid), bytes };
  }

  async component(name: string, rows: readonly Entry[]): Promise<Component> {
    const files = rows.filter((entry) => entry.type === 'file');
    const dictionary = name.startsWith('locale/') ? this.#dictionaryBytes : undefined;
    const parts: Part[] = [];
    for (const entries of cutParts(rows)) parts.push(await this.#part(entries, dictionary));
    return { name, files: files.length, size: files.reduce((sum, file) => sum + file.size, 0), parts };
  }

  async #part(entries: Entry[], dictionary: FrameOptions['dictionary']): Promise<Part> {
    const { blocks, onProgress } = this.#options;
    const files = distinctFiles(entries);
    const made = await makeFrames(files, { blocks, dictionary, onProgress, read: (file, offset, target) => this.#read(file, offset, target) });
    for (const { ref } of made) this.frameBytes += ref.size;
    const verbatim = await makeVerbatimFrames(files, { blocks, read: (file, target) => readExactly(this.#options.spool.pathOf(file.id), 0, target) });
    for (const { ref } of verbatim) this.verbatimBytes += ref.size;
    const table: Table = {
      entries,
      files,
      frames: made.map(({ pieces, base, filter }) => ({ pieces, base, filter })),
      verbatim: verbatim.map(({ pieces }) => ({ pieces })),
    };
    const { bytes, plain } = await encodeTable(table, nodeCompressor);
    const common = {
      tableSize: bytes.length,
      tablePlain: plain,
      rows: entries.length,
      frames: made.map(({ ref }) => ref),
      verbatim: verbatim.map(({ ref }) => ref),
    };
    if (bytes.length <= INLINE_TABLE && this.#inline + bytes.length <= INLINE_TOTAL) {
      this.#inline += bytes.length;
      return { table: bytes, ...common };
    }
    const block = await rawBlock(bytes, nodeHasher);
    await blocks.put(block.cid, block.bytes);
    this.tableBytes += bytes.length;
    return { table: block.cid, ...common };
  }

  /** Fills `target` from a file as it travels. */
  #read(file: FileEntry, offset: number, target: Uint8Array): void {
    readExactly(file.recipe === undefined ? this.#options.spool.pathOf(file.id) : join(this.#unpacked.directory, file.id), offset, target);
  }
}
