/** What a change needs: which files are missing here, and which blocks bring them. Pure. */
import { parseCid, type Cid } from '../dag/cid.ts';
import type { FileEntry } from '../dag/entry.ts';
import type { Filter } from '../dag/filter.ts';
import { fileIdFromDigest, type FileId } from '../dag/file-id.ts';
import type { Dictionary, Part } from '../dag/manifest.ts';
import { travelSize, type Base, type Table } from '../dag/table.ts';

/** A part of a component that was chosen, with its table. */
export interface PlannedPart {
  part: Part;
  table: Table;
  /** Of the package that it belongs to. */
  dictionary: Dictionary | undefined;
}

/** One run of bytes that a frame brings for a file that is missing. */
export interface WantedPiece {
  id: FileId;
  /** Where the run starts in the frame's content, in bytes. */
  at: number;
  /** Where it starts in the file (in its unpacked content, where it has a recipe). */
  offset: number;
  length: number;
  /** Bytes of the whole file as it travels. */
  total: number;
  /** Whether the file is packed by `gzip -9n` after it came. */
  gzip: boolean;
}

/** A block to fetch and what is wanted of it. */
export interface WantedFrame {
  cid: Cid;
  /** Bytes to fetch. */
  size: number;
  /** Bytes of its content; equal to `size` for a block that is not compressed. */
  plain: number;
  /** Whether the block is a zstd frame; else it is the file itself. */
  compressed: boolean;
  pieces: WantedPiece[];
  /** What it is compressed against: to be fetched before, unless it is here. */
  base?: Base | undefined;
  /** What is undone on the whole content. */
  filter?: Filter | undefined;
}

export interface FetchPlan {
  /** Those without a base first: what has one needs what they bring. */
  frames: WantedFrame[];
  /** Files that are missing, and their bytes on disk. */
  files: number;
  bytes: number;
  /** Bytes to fetch. */
  download: number;
}

export interface PlanOptions {
  /** Whether a file is here already. */
  has: (file: FileEntry) => boolean;
  /** Whether GNU gzip is here; without it, packed documents come as they are. */
  gzip: boolean;
}

export function planFetch(parts: Iterable<PlannedPart>, { has, gzip }: PlanOptions): FetchPlan {
  const plan: FetchPlan = { frames: [], files: 0, bytes: 0, download: 0 };
  const planned = new Set<FileId>();
  const add = (frame: WantedFrame): void => {
    plan.frames.push(frame);
    plan.download += frame.size;
  };
  for (const { part, table, dictionary } of parts) {
    const missing = table.files.map((file) => !planned.has(file.id) && !has(file));
    for (const [i, file] of table.files.entries()) {
      if (missing[i] !== true) continue;
      planned.add(file.id);
      plan.files++;
      plan.bytes += file.size;
      if (file.recipe !== undefined && !gzip) add(verbatim(file));
    }
    for (const [i, { pieces, base, filter }] of table.frames.entries()) {
      const ref = part.frames[i];
      if (ref === undefined) continue;
      let at = 0;
      const wanted: WantedPiece[] = [];
      for (const piece of pieces) {
        const file = table.files[piece.file];
        if (file !== undefined && missing[piece.file] === true && (file.recipe === undefined || gzip)) {
          wanted.push({ id: file.id, at, offset: piece.offset, length: piece.length, total: travelSize(file), gzip: file.recipe !== undefined });
        }
        at += piece.length;
      }
      if (wanted.length === 0) continue;
      add({ cid: ref.cid, size: ref.size, plain: ref.plain, compressed: true, pieces: wanted, base, filter });
      const shared = dictionary && dictionaryFrame(dictionary);
      if (shared !== undefined && base?.id === shared.id && !planned.has(shared.id)) {
        planned.add(shared.id);
        add(shared.frame);
      }
    }
  }
  plan.frames.sort((a, b) => Number(a.base !== undefined) - Number(b.base !== undefined));
  return plan;
}

/** The dictionary arrives as a file of its own, which no state holds. */
function dictionaryFrame({ sha256, frame }: Dictionary): { id: FileId; frame: WantedFrame } {
  const { cid, size, plain } = frame;
  const id = fileIdFromDigest(sha256, plain);
  const piece = { id, at: 0, offset: 0, length: plain, total: plain, gzip: false };
  return { id, frame: { cid, size, plain, compressed: true, pieces: [piece] } };
}

/** The file itself, as one block. Only files of one leaf have recipes. */
function verbatim(file: FileEntry): WantedFrame {
  const piece = { id: file.id, at: 0, offset: 0, length: file.size, total: file.size, gzip: false };
  return { cid: parseCid(file.id), size: file.size, plain: file.size, compressed: false, pieces: [piece] };
}
