/** Packs one package: from its file to the blocks of its frames and tables, and its manifest. */
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cborBlock, BLOCK_SIZE, rawBlock, type Block } from '../../core/dag/block.ts';
import { componentOf } from '../../core/dag/component.ts';
import type { Entry, FileEntry } from '../../core/dag/entry.ts';
import { contentSize, frameUnits, groupUnits, mergePieces } from '../../core/dag/frame.ts';
import { manifestValue, type Component, type FrameRef, type Manifest, type Part } from '../../core/dag/manifest.ts';
import { distinctFiles, encodeTable, type Piece, type Table } from '../../core/dag/table.ts';
import { MossError } from '../../core/error.ts';
import { nodeHasher } from '../hasher.ts';
import type { ImportedPackage } from '../source/imported.ts';
import type { DirectorySpool } from '../source/spool.ts';
import { compressInBackground, nodeCompressor } from '../zstd.ts';
import { cutParts } from './parts.ts';
import { proveRecipes, type Unpacked } from './recipes.ts';
import type { BlockDirectory } from '../store/block-directory.ts';

/** Part of every import's key: raise it when the same input should give other blocks. */
export const PACK_VERSION = 1;

/** Made once by the publisher, undone by everyone: the strongest level that needs no more memory to undo. */
const LEVEL = 19;
/** Level 3 says within a tenth or so how level 19 will do: this much of it fills a block at 19. */
const ESTIMATE_LEVEL = 3;
const ESTIMATE_TARGET = Math.round(BLOCK_SIZE * 1.1);
/** Bytes of content that are estimated together, so that small files are not judged alone. */
const ESTIMATE_RUN = 256 * 1024;
/** Compressed tables up to this many bytes stand in the manifest. */
const INLINE_TABLE = 4096;

export interface Packed {
  manifest: Block;
  /** Bytes of all frames, and of manifest and tables. */
  frameBytes: number;
  manifestBytes: number;
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
  mkdirSync(work, { recursive: true });
  try {
    const { entries, unpacked } = await proveRecipes(imported.entries, options.spool, work);
    const packer = new Packer(options, unpacked);
    const components: Component[] = [];
    for (const [name, rows] of byComponent(entries, imported)) components.push(await packer.component(name, rows));
    for (const entry of entries) if (entry.type === 'file' && entry.recipe !== undefined) await packer.verbatim(entry);
    const value: Manifest = {
      metadata: imported.metadata,
      policy: { announce: imported.announce ?? true },
      scripts: imported.scripts,
      alternatives: imported.alternatives,
      conffiles: imported.conffiles,
      components,
      dictionary: undefined,
    };
    const manifest = await cborBlock(manifestValue(value), nodeHasher);
    await options.blocks.put(manifest.cid, manifest.bytes);
    return {
      manifest,
      frameBytes: packer.frameBytes,
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
  const groups = new Map<string, Entry[]>();
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
  /** Bytes of tables that are blocks of their own. */
  tableBytes = 0;
  readonly #options: PackOptions;
  readonly #unpacked: Unpacked;

  constructor(options: PackOptions, unpacked: Unpacked) {
    this.#options = options;
    this.#unpacked = unpacked;
  }

  async component(name: string, rows: readonly Entry[]): Promise<Component> {
    const files = rows.filter((entry) => entry.type === 'file');
    const parts: Part[] = [];
    for (const entries of cutParts(rows)) parts.push(await this.#part(entries));
    return { name, files: files.length, size: files.reduce((sum, file) => sum + file.size, 0), parts };
  }

  /** The packed file as a block of its own, for whoever has no GNU gzip. */
  async verbatim(file: FileEntry): Promise<void> {
    const block = await rawBlock(readFileSync(this.#options.spool.pathOf(file.id)), nodeHasher);
    await this.#options.blocks.put(block.cid, block.bytes);
  }

  async #part(entries: Entry[]): Promise<Part> {
    const files = distinctFiles(entries);
    const packed = await this.#frames(files);
    const table: Table = { entries, files, frames: packed.map((frame) => frame.pieces) };
    const { bytes, plain } = await encodeTable(table, nodeCompressor);
    const common = { tableSize: bytes.length, tablePlain: plain, rows: entries.length, frames: packed.map((frame) => frame.ref) };
    if (bytes.length <= INLINE_TABLE) return { table: bytes, ...common };
    const block = await rawBlock(bytes, nodeHasher);
    await this.#options.blocks.put(block.cid, block.bytes);
    this.tableBytes += bytes.length;
    return { table: block.cid, ...common };
  }

  /** Frames two at a time: each keeps one core busy. */
  async #frames(files: readonly FileEntry[]): Promise<{ pieces: Piece[]; ref: FrameRef }[]> {
    const units = frameUnits(files);
    const groups = groupUnits(units, this.#estimate(files, units), ESTIMATE_TARGET);
    const out: { pieces: Piece[]; ref: FrameRef }[][] = groups.map(() => []);
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let i = next++; i < groups.length; i = next++) out[i] = await this.#frame(files, groups[i] ?? []);
    };
    await Promise.all([lane(), lane()]);
    return out.flat();
  }

  /** One group as a frame, or as two where the estimate was too hopeful. */
  async #frame(files: readonly FileEntry[], units: readonly Piece[]): Promise<{ pieces: Piece[]; ref: FrameRef }[]> {
    const content = this.#read(files, units);
    const bytes = await compressInBackground(content, { level: LEVEL });
    if (bytes.length > BLOCK_SIZE && units.length > 1) {
      const half = units.length >> 1;
      return [...(await this.#frame(files, units.slice(0, half))), ...(await this.#frame(files, units.slice(half)))];
    }
    this.#options.onProgress?.(content.length);
    const block = await rawBlock(bytes, nodeHasher);
    await this.#options.blocks.put(block.cid, block.bytes);
    this.frameBytes += bytes.length;
    return [{ pieces: mergePieces(units), ref: { cid: block.cid, size: bytes.length, plain: content.length } }];
  }

  /** Compressed bytes of each unit, roughly; what is estimated together shares by size. */
  #estimate(files: readonly FileEntry[], units: readonly Piece[]): number[] {
    const estimates: number[] = [];
    for (let start = 0; start < units.length; ) {
      let end = start;
      let length = 0;
      while (end < units.length && (end === start || length < ESTIMATE_RUN)) length += units[end++]?.length ?? 0;
      const run = units.slice(start, end);
      const compressed = nodeCompressor.compress(this.#read(files, run), { level: ESTIMATE_LEVEL }).length;
      for (const unit of run) estimates.push(length === 0 ? 0 : (compressed * unit.length) / length);
      start = end;
    }
    return estimates;
  }

  #read(files: readonly FileEntry[], units: readonly Piece[]): Uint8Array {
    const content = new Uint8Array(contentSize(units));
    let at = 0;
    for (const unit of units) {
      const file = files[unit.file];
      if (file === undefined) throw new MossError('bug', 'a piece of a file outside of its part');
      if (unit.length > 0) readInto(this.#pathOf(file), unit.offset, content.subarray(at, at + unit.length));
      at += unit.length;
    }
    return content;
  }

  #pathOf(file: FileEntry): string {
    return file.recipe === undefined ? this.#options.spool.pathOf(file.id) : join(this.#unpacked.directory, file.id);
  }
}

function readInto(path: string, offset: number, target: Uint8Array): void {
  const fd = openSync(path, 'r');
  try {
    for (let at = 0; at < target.length; ) {
      const count = readSync(fd, target, at, target.length - at, offset + at);
      if (count === 0) throw new MossError('io', `${path} ended early`);
      at += count;
    }
  } finally {
    closeSync(fd);
  }
}

