/** What a change needs: which files are missing here, and which blocks bring them. Pure. */
import type { Cid } from '../dag/cid.ts';
import type { FileEntry } from '../dag/entry.ts';
import type { Filter } from '../dag/filter.ts';
import { fileIdFromDigest, type FileId } from '../dag/file-id.ts';
import type { Dictionary, FrameRef, Part } from '../dag/manifest.ts';
import { travelSize, type Base, type Table, type TableFrame } from '../dag/table.ts';
import { chooseDeltas, coverOf, type BaseRun, type Choice, type KnownDeltaFrame, type Way } from './delta.ts';

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

/** A frame to fetch and what is wanted of it. */
export interface WantedFrame {
  cid: Cid;
  /** Bytes to fetch. */
  size: number;
  /** Bytes of its content. */
  plain: number;
  pieces: WantedPiece[];
  /** What it is compressed against: to be fetched before, unless it is here. */
  base?: Base | undefined;
  /** Of a delta frame: what of files that are here it is compressed against, together. */
  bases?: readonly BaseRun[] | undefined;
  /** What is undone on the whole content; in a delta frame on each piece by itself. */
  filter?: Filter | undefined;
}

export interface FetchPlan {
  /** In any order; but what has a base needs what those without one bring. */
  frames: WantedFrame[];
  /** Files that are missing, and their bytes on disk. */
  files: number;
  bytes: number;
  /** Bytes to fetch. */
  download: number;
  /** Bytes of them that are delta frames. */
  deltas: number;
}

export interface PlanOptions {
  /** Whether a file is here already. */
  has: (file: Pick<FileEntry, 'id' | 'size'>) => boolean;
  /** Whether GNU gzip is here; without it, packed documents come as they are. */
  gzip: boolean;
  /** Delta frames that may be used where their bases are here. */
  deltas?: readonly KnownDeltaFrame[] | undefined;
}

export function planFetch(parts: Iterable<PlannedPart>, options: PlanOptions): FetchPlan {
  const planner = new Planner([...parts], options);
  planner.claimDeltas(options.deltas ?? []);
  if (!options.gzip) planner.claimVerbatim();
  // What has no base comes first, from whichever part: a base has none itself, so it is here or claimed by then.
  planner.claim((frame) => frame.base === undefined);
  planner.claim((frame) => frame.base !== undefined);
  return planner.plan;
}

class Planner {
  readonly plan: FetchPlan = { frames: [], files: 0, bytes: 0, download: 0, deltas: 0 };
  readonly #parts: readonly PlannedPart[];
  readonly #options: PlanOptions;
  /** The part that brings each missing file: the same file may be in many. */
  readonly #claims = new Map<FileId, PlannedPart | undefined>();
  readonly #missing = new Map<FileId, boolean>();
  readonly #frames = new Map<string, WantedFrame>();
  /** Blocks that are in the plan. */
  readonly #fetched = new Set<string>();

  constructor(parts: readonly PlannedPart[], options: PlanOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** Plans the frames of a kind for files that nothing brings yet. */
  claim(isKind: (frame: TableFrame) => boolean): void {
    for (const planned of this.#parts) {
      for (const [i, frame] of planned.table.frames.entries()) {
        const ref = planned.part.frames[i];
        if (ref === undefined || !isKind(frame)) continue;
        const wanted = this.#wanted(planned, frame);
        if (wanted.length === 0) continue;
        // The dictionary may be the content of a file, which it then brings: so it comes before that file's frame.
        const isNew = frame.base !== undefined && this.#addDictionary(planned.dictionary, frame.base);
        this.#claimFrame(planned, ref, frame, isNew ? this.#wanted(planned, frame) : wanted);
      }
    }
  }

  /** Plans delta frames for the files that are cheaper that way. */
  claimDeltas(known: readonly KnownDeltaFrame[]): void {
    const { has, gzip } = this.#options;
    const usable = known.filter(
      ({ files, pieces, bases }) =>
        bases.every((run) => has(run)) &&
        (gzip || pieces.every(({ file }) => files[file]?.recipe === undefined)) &&
        pieces.some(({ file }) => files[file] !== undefined && this.#isMissing(files[file])),
    );
    if (usable.length === 0) return;
    const cover = coverOf(usable);
    const chosen = chooseDeltas(this.#choices(cover));
    const needed = new Set([...chosen].flatMap((id) => cover.get(id) ?? []));
    for (const { cid, size, plain, files, pieces, bases, filter } of needed) {
      const wanted: WantedPiece[] = [];
      let at = 0;
      for (const { file: index, offset, length } of pieces) {
        const file = files[index];
        if (file !== undefined && chosen.has(file.id)) {
          this.#claims.set(file.id, undefined);
          wanted.push({ id: file.id, at, offset, length, total: travelSize(file), gzip: file.recipe !== undefined });
        }
        at += length;
      }
      this.#add({ cid, size, plain, pieces: wanted, bases, filter });
    }
  }

  /** Both ways to each missing file of the parts that deltas say something about. */
  #choices(cover: ReadonlyMap<FileId, readonly KnownDeltaFrame[]>): Choice[] {
    const choices = new Map<FileId, Choice>();
    for (const { part, table, dictionary } of this.#parts) {
      if (!table.files.some(({ id }) => cover.has(id))) continue;
      const ways = new Map<FileId, Way[]>();
      for (const [i, { pieces, base }] of table.frames.entries()) {
        const ref = part.frames[i];
        if (ref === undefined) continue;
        const shared = dictionary && dictionaryFrame(dictionary);
        const isShared = shared !== undefined && base?.id === shared.id && !this.#options.has({ id: shared.id, size: shared.frame.plain });
        const needed = [ref, ...(isShared ? [shared.frame] : [])].map(({ cid, size }) => ({ key: cid.toString(), size }));
        for (const { file } of pieces) {
          const entry = table.files[file];
          if (entry !== undefined && this.#isMissing(entry)) ways.set(entry.id, [...(ways.get(entry.id) ?? []), ...needed]);
        }
      }
      for (const [id, full] of ways) {
        const deltas = (cover.get(id) ?? []).map(({ cid, size }) => ({ key: `delta ${cid.toString()}`, size }));
        if (!choices.has(id)) choices.set(id, { id, full, deltas });
      }
    }
    return [...choices.values()];
  }

  /** Plans the frames that bring packed documents as they are. */
  claimVerbatim(): void {
    for (const planned of this.#parts) {
      for (const [i, frame] of planned.table.verbatim.entries()) {
        const ref = planned.part.verbatim[i];
        if (ref !== undefined) this.#claimFrame(planned, ref, frame, this.#wanted(planned, frame, true), true);
      }
    }
  }

  #claimFrame(planned: PlannedPart, ref: FrameRef, frame: TableFrame, wanted: readonly WantedPiece[], asIs = false): void {
    const pieces = wanted.filter(({ id }) => this.#take(planned, id));
    if (pieces.length === 0) return;
    if (asIs) for (const { id } of pieces) this.#claims.set(id, undefined);
    this.#add({ cid: ref.cid, size: ref.size, plain: ref.plain, pieces, base: frame.base, filter: frame.filter });
  }

  /** The pieces of a frame that belong to missing files which no other part brings. */
  #wanted(planned: PlannedPart, { pieces }: TableFrame, asIs = false): WantedPiece[] {
    const wanted: WantedPiece[] = [];
    let at = 0;
    for (const piece of pieces) {
      const file = planned.table.files[piece.file];
      if (file !== undefined && this.#isMissing(file) && (!this.#claims.has(file.id) || this.#claims.get(file.id) === planned)) {
        const gzip = file.recipe !== undefined && !asIs;
        wanted.push({ id: file.id, at, offset: piece.offset, length: piece.length, total: asIs ? file.size : travelSize(file), gzip });
      }
      at += piece.length;
    }
    return wanted;
  }

  #take(planned: PlannedPart, id: FileId): boolean {
    if (!this.#claims.has(id)) this.#claims.set(id, planned);
    return this.#claims.get(id) === planned;
  }

  /** Counts a missing file when it is first asked about. */
  #isMissing(file: FileEntry): boolean {
    const known = this.#missing.get(file.id);
    if (known !== undefined) return known;
    const missing = !this.#options.has(file);
    this.#missing.set(file.id, missing);
    if (missing) {
      this.plan.files++;
      this.plan.bytes += file.size;
    }
    return missing;
  }

  /** @returns whether it was not planned before */
  #addDictionary(dictionary: Dictionary | undefined, base: Base): boolean {
    const shared = dictionary && dictionaryFrame(dictionary);
    if (shared === undefined || base.id !== shared.id || this.#claims.has(shared.id)) return false;
    this.#claims.set(shared.id, undefined);
    if (!this.#options.has({ id: shared.id, size: shared.frame.plain })) this.#add(shared.frame);
    return true;
  }

  /** The same block may hold the same bytes as other files elsewhere: it is fetched once, for all of them. */
  #add(frame: WantedFrame): void {
    const key = unpackKey(frame);
    const there = this.#frames.get(key);
    if (there !== undefined) {
      there.pieces.push(...frame.pieces);
      return;
    }
    this.#frames.set(key, frame);
    this.plan.frames.push(frame);
    if (this.#fetched.has(frame.cid.toString())) return;
    this.#fetched.add(frame.cid.toString());
    this.plan.download += frame.size;
    if (frame.bases !== undefined) this.plan.deltas += frame.size;
  }
}

/** Frames that unpack to the same content: the same block against another base is another content. */
function unpackKey({ cid, base, bases, filter }: WantedFrame): string {
  const runs = [...(base === undefined ? [] : [base]), ...(bases ?? [])].map(({ id, offset, length }) => `${id} ${offset} ${length}`);
  return [cid.toString(), filter, bases === undefined, ...runs].join(' ');
}

/** The dictionary arrives as a file of its own, which no state holds. */
function dictionaryFrame({ sha256, frame }: Dictionary): { id: FileId; frame: WantedFrame } {
  const { cid, size, plain } = frame;
  const id = fileIdFromDigest(sha256, plain);
  const piece = { id, at: 0, offset: 0, length: plain, total: plain, gzip: false };
  return { id, frame: { cid, size, plain, pieces: [piece] } };
}
