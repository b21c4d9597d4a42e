/** Makes the frames of one part: what goes together, what it is compressed against, and the blocks. */
import { BLOCK_SIZE, rawBlock } from '../../core/dag/block.ts';
import { applyFilter } from '../../core/dag/filter.ts';
import type { FileEntry } from '../../core/dag/entry.ts';
import { contentSize, frameUnits, groupUnits, mergePieces } from '../../core/dag/frame.ts';
import { LEAF_SIZE, type FileId } from '../../core/dag/file-id.ts';
import type { FrameRef } from '../../core/dag/manifest.ts';
import type { Base, Piece, TableFrame } from '../../core/dag/table.ts';
import { MossError } from '../../core/error.ts';
import { nodeHasher } from '../hasher.ts';
import type { BlockDirectory } from '../store/block-directory.ts';
import { compressInBackground, nodeCompressor } from '../zstd.ts';
import { inTwoLanes } from './lanes.ts';
import { baseOf, findBases } from './similar.ts';

/** Made once by the publisher, undone by everyone: the strongest level that needs no more memory to undo. */
const LEVEL = 19;
/** Against a large base, level 12 is within 6 % of level 19 and forty times as fast (measured on cmake's programs). */
const LEVEL_AGAINST_BASE = 12;
/** Level 3 says within a tenth or so how level 19 will do: this much of it fills a block at 19. */
const ESTIMATE_LEVEL = 3;
const ESTIMATE_TARGET = Math.round(BLOCK_SIZE * 1.1);
/** Bytes of content that are estimated together, so that small files are not judged alone. */
const ESTIMATE_RUN = 256 * 1024;
/** Bytes of a file in one frame when it has a base: what is left of it is small. */
const BASED_RUN = 4 * LEAF_SIZE;

/** Bytes of packed documents in one frame: what cannot be packed grows by a few bytes. */
const VERBATIM_TARGET = BLOCK_SIZE - 4096;
/** A filter pays when content shrinks to this share of what it is without. */
const FILTER_WORTH = 0.985;

export interface FrameOptions {
  blocks: BlockDirectory;
  /** Bytes of a file as it travels. */
  read: (file: FileEntry, offset: number, target: Uint8Array) => void;
  /** Content that all frames without another base are compressed against. */
  dictionary?: { id: FileId; bytes: Uint8Array } | undefined;
  onProgress?: ((bytes: number) => void) | undefined;
}

export interface MadeFrame extends TableFrame {
  ref: FrameRef;
}

interface Group {
  units: Piece[];
  /** What a run of its units is compressed against. */
  base: (offset: number, length: number) => Base | undefined;
}

export async function makeFrames(files: readonly FileEntry[], options: FrameOptions): Promise<MadeFrame[]> {
  return new FrameMaker(files, options).make();
}

/** Level 1 finds that packed content cannot be packed again, and is quick about it. */
const VERBATIM_LEVEL = 1;

export interface VerbatimOptions {
  blocks: BlockDirectory;
  /** The content of a file as it is. */
  read: (file: FileEntry, target: Uint8Array) => void;
}

/** Frames that bring the files with recipes as they are. */
export async function makeVerbatimFrames(files: readonly FileEntry[], { blocks, read }: VerbatimOptions): Promise<MadeFrame[]> {
  const units = files.flatMap(({ recipe, size }, file): Piece[] => (recipe === undefined ? [] : [{ file, offset: 0, length: size }]));
  const out: MadeFrame[] = [];
  for (const pieces of groupUnits(units, units.map(({ length }) => length), VERBATIM_TARGET)) {
    const content = new Uint8Array(contentSize(pieces));
    let at = 0;
    for (const piece of pieces) {
      const file = files[piece.file];
      if (file === undefined) throw new MossError('bug', 'a piece of a file outside of its part');
      read(file, content.subarray(at, at + piece.length));
      at += piece.length;
    }
    const block = await rawBlock(nodeCompressor.compress(content, { level: VERBATIM_LEVEL }), nodeHasher);
    await blocks.put(block.cid, block.bytes);
    out.push({ pieces, ref: { cid: block.cid, size: block.bytes.length, plain: content.length } });
  }
  return out;
}

class FrameMaker {
  readonly #files: readonly FileEntry[];
  readonly #options: FrameOptions;
  readonly #byId: ReadonlyMap<FileId, FileEntry>;

  constructor(files: readonly FileEntry[], options: FrameOptions) {
    this.#files = files;
    this.#options = options;
    this.#byId = new Map(files.map((file) => [file.id, file]));
  }

  async make(): Promise<MadeFrame[]> {
    return (await inTwoLanes(this.#groups(), (group) => this.#frame(group, group.units))).flat();
  }

  #groups(): Group[] {
    const bases = findBases(this.#files, (file, offset, length) => this.#read([{ file, offset, length }]));
    const units = frameUnits(this.#files);
    const plain = units.filter((unit) => !bases.has(unit.file));
    const { dictionary } = this.#options;
    const shared: Base | undefined = dictionary && { id: dictionary.id, size: dictionary.bytes.length, offset: 0, length: dictionary.bytes.length };
    const groups: Group[] = groupUnits(plain, this.#estimate(plain), ESTIMATE_TARGET).map((each) => ({ units: each, base: () => shared }));
    for (const [i, root] of bases) {
      const [file, base] = [this.#fileAt(i), this.#fileAt(root)];
      const own = units.filter((unit) => unit.file === i);
      for (let at = 0; at < own.length; at += BASED_RUN / LEAF_SIZE) {
        groups.push({ units: own.slice(at, at + BASED_RUN / LEAF_SIZE), base: (offset, length) => baseOf(base, file, offset, length) });
      }
    }
    return groups;
  }

  /** Some units as one frame, or as two where the estimate was too hopeful. */
  async #frame(group: Group, units: readonly Piece[]): Promise<MadeFrame[]> {
    const content = this.#read(units);
    const base = group.base(units[0]?.offset ?? 0, content.length);
    const filter = base === undefined && applyIfWorth(content) ? 'x86-64' : undefined;
    const level = base === undefined || base.id === this.#options.dictionary?.id ? LEVEL : LEVEL_AGAINST_BASE;
    const bytes = await compressInBackground(content, { level, dictionary: base && this.#baseBytes(base) });
    if (bytes.length > BLOCK_SIZE && units.length > 1) {
      const half = units.length >> 1;
      return [...(await this.#frame(group, units.slice(0, half))), ...(await this.#frame(group, units.slice(half)))];
    }
    this.#options.onProgress?.(content.length);
    const block = await rawBlock(bytes, nodeHasher);
    await this.#options.blocks.put(block.cid, block.bytes);
    return [{ pieces: mergePieces(units), base, filter, ref: { cid: block.cid, size: bytes.length, plain: content.length } }];
  }

  /** Compressed bytes of each unit, roughly; what is estimated together shares by size. */
  #estimate(units: readonly Piece[]): number[] {
    const estimates: number[] = [];
    for (let start = 0; start < units.length; ) {
      let end = start;
      let length = 0;
      while (end < units.length && (end === start || length < ESTIMATE_RUN)) length += units[end++]?.length ?? 0;
      const run = units.slice(start, end);
      const packed = nodeCompressor.compress(this.#read(run), { level: ESTIMATE_LEVEL, dictionary: this.#options.dictionary?.bytes }).length;
      for (const unit of run) estimates.push(length === 0 ? 0 : (packed * unit.length) / length);
      start = end;
    }
    return estimates;
  }

  #baseBytes(base: Base): Uint8Array {
    const { dictionary } = this.#options;
    if (dictionary?.id === base.id) return dictionary.bytes;
    const file = this.#byId.get(base.id);
    if (file === undefined) throw new MossError('bug', 'a base outside of its part');
    const bytes = new Uint8Array(base.length);
    this.#options.read(file, base.offset, bytes);
    return bytes;
  }

  #read(units: readonly Piece[]): Uint8Array {
    const content = new Uint8Array(contentSize(units));
    let at = 0;
    for (const unit of units) {
      if (unit.length > 0) this.#options.read(this.#fileAt(unit.file), unit.offset, content.subarray(at, at + unit.length));
      at += unit.length;
    }
    return content;
  }

  #fileAt(i: number): FileEntry {
    const file = this.#files[i];
    if (file === undefined) throw new MossError('bug', 'a piece of a file outside of its part');
    return file;
  }
}

/** Filters content in place where that makes it smaller; what is no program is left as it is. */
function applyIfWorth(content: Uint8Array): boolean {
  const filtered = content.slice();
  applyFilter('x86-64', filtered);
  if (estimateSize(filtered) >= estimateSize(content) * FILTER_WORTH) return false;
  content.set(filtered);
  return true;
}

function estimateSize(content: Uint8Array): number {
  return nodeCompressor.compress(content, { level: ESTIMATE_LEVEL }).length;
}
