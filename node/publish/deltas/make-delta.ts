/** Makes the delta between two published versions of a package. */
import { BLOCK_SIZE, rawBlock, type Block } from '../../../core/dag/block.ts';
import type { Cid } from '../../../core/dag/cid.ts';
import { cidOf, DAG_CBOR } from '../../../core/dag/cid.ts';
import { decodeCbor } from '../../../core/dag/codec.ts';
import { encodeDelta, expandManifest, MAX_DELTA_RUNS, type Delta, type DeltaFrame, type DeltaRun, type TableDelta } from '../../../core/dag/delta.ts';
import type { FileEntry } from '../../../core/dag/entry.ts';
import { LEAF_SIZE, type FileId } from '../../../core/dag/file-id.ts';
import { applyFilter, undoFilter, type Filter } from '../../../core/dag/filter.ts';
import { contentSize, frameOrder, kindOf } from '../../../core/dag/frame.ts';
import { travelSize, type Piece, type Table } from '../../../core/dag/table.ts';
import { isTrainedDictionary } from '../../../core/dag/trained-dictionary.ts';
import { planFetch } from '../../../core/install/plan.ts';
import { knownFrames } from '../../../core/install/delta.ts';
import { pathsOf } from '../../../core/install/predecessors.ts';
import { nodeHasher } from '../../hasher.ts';
import type { BlockDirectory } from '../../store/block-directory.ts';
import { compressInBackground, nodeCompressor, tableCompression } from '../../zstd.ts';
import { inTwoLanes } from '../lanes.ts';
import type { PackageContents } from './contents.ts';
import { findPredecessors, type PlacedFile, type ReadSample } from './predecessors.ts';

/** Part of every delta's key: raise it when the same two versions should give another delta. */
export const DELTA_PACK_VERSION = 4;

/** Level 12 costs 14 % more bytes than 19 and takes an eighth of the time (measured): for what 19 would take minutes for. */
const LEVEL = 19;
const LEVEL_OF_LARGE = 12;
const ESTIMATE_LEVEL = 3;
const LARGE = 16 * 1024 * 1024;
/**
 * Bytes of a changed file, from which it has frames of its own. What changes in documents is often some dozen bytes of
 * each: frames of their own would be hundreds of requests for next to nothing.
 */
const OWN_FRAME = LEAF_SIZE;
const OWN_FRAME_OF_PROGRAM = 64 * 1024;
/** Bytes of content in one frame. */
const RUN = 8 * LEAF_SIZE;
/**
 * Bytes of the old file that a run of a large one is compressed against. With 32 MiB the deltas of a browser's engine (92 MB)
 * and of an office suite's library (69 MB) have as many bytes or 7 % more, since zstd remembers fewer places of each
 * mebibyte, and take twice the time to make and to undo (measured).
 */
const RUN_BASE = 2 * RUN;
/** Bytes of small files, and of what they are compressed against, in one frame. */
const GROUP = 4 * LEAF_SIZE;
const GROUP_BASE = 8 * LEAF_SIZE;
/** A filter pays when it leaves this share. */
const FILTER_WORTH = 0.97;
const ELF_MAGIC = 0x7f454c46;

export interface MadeDelta {
  cid: Cid;
  /** Bytes of the delta's block. */
  size: number;
  /** Bytes of its frames, and of the full frames that it saves. */
  frames: number;
  saved: number;
}

interface Group {
  pieces: { piece: Piece; entry: FileEntry }[];
  bases: (DeltaRun & { entry: FileEntry })[];
  part: number;
}

interface Made {
  frame: DeltaFrame;
  block: Block;
}

/**
 * The delta, with its blocks written; `undefined` where it saves nothing.
 *
 * @throws MossError `damaged`
 */
export async function makeDelta(old: PackageContents, next: PackageContents, blocks: BlockDirectory, onProgress?: (bytes: number) => void): Promise<MadeDelta | undefined> {
  const oldFiles = placedFiles(old);
  const oldIds = new Set(oldFiles.map(({ entry }) => entry.id));
  const changed = placedFiles(next).filter(({ entry }) => !oldIds.has(entry.id));
  const predecessors = await findPredecessors(changed, { old: oldFiles, readOld: sampler(old), readNew: sampler(next) });
  const made = (await inTwoLanes(groupsOf(changed, predecessors), async (group) => {
    const frames = await makeFrame(group, old, next);
    onProgress?.(contentSize(group.pieces.map(({ piece }) => piece)));
    return frames;
  })).flat();
  const tables = await tableDeltas(old, next);
  const delta: Delta = { from: old.cid, to: next.cid, zstd: tableCompression, manifest: await expanded(next), frames: made.map(({ frame }) => frame), tables: tables.map(({ delta: table }) => table) };
  const { used, saved } = worthwhile(delta, old, next);
  delta.frames = delta.frames.filter(({ ref }) => used.has(ref.cid.toString()));
  const bytes = await encodeDelta(delta, await expanded(old), nodeCompressor);
  const frames = delta.frames.reduce((sum, { ref }) => sum + ref.size, 0);
  // The manifest travels in it too, so it must be worth more than the manifest alone.
  if (bytes.length > BLOCK_SIZE || saved + next.block.length <= frames + bytes.length) return undefined;
  const kept = made.filter(({ frame }) => used.has(frame.ref.cid.toString()));
  for (const { block } of [...kept, ...tables]) await blocks.put(block.cid, block.bytes);
  const cid = cidOf(DAG_CBOR, nodeHasher.sha256(bytes));
  await blocks.put(cid, bytes);
  return { cid, size: bytes.length, frames, saved };
}

function expanded({ block }: PackageContents): Promise<unknown> {
  return expandManifest(decodeCbor(block, 'bad-manifest', 'a manifest'), nodeCompressor);
}

function sampler(from: PackageContents): ReadSample {
  return async (file, length) => {
    const bytes = new Uint8Array(length);
    await from.read(file, 0, bytes);
    return bytes;
  };
}

/** The distinct files of a package; a content that several parts hold counts where it comes first. */
function placedFiles({ parts }: PackageContents): PlacedFile[] {
  const paths = pathsOf(parts.map(({ table }) => table));
  const seen = new Set<FileId>();
  return parts.flatMap(({ table }, part) =>
    table.files.flatMap((entry, file): PlacedFile[] => {
      if (seen.has(entry.id) || travelSize(entry) === 0) return [];
      seen.add(entry.id);
      return [{ part, file, entry, paths: paths.get(entry.id) ?? [] }];
    }),
  );
}

/** What goes into one frame: runs of a large file, or several small files of one part with all their predecessors. */
function groupsOf(changed: readonly PlacedFile[], predecessors: ReadonlyMap<FileId, PlacedFile>): Group[] {
  const groups: Group[] = [];
  for (const [part, files] of Map.groupBy(changed, (each) => each.part)) {
    let group: Group = { part, pieces: [], bases: [] };
    let plain = 0;
    let base = 0;
    const flush = (): void => {
      if (group.pieces.length > 0) groups.push(group);
      group = { part, pieces: [], bases: [] };
      [plain, base] = [0, 0];
    };
    for (const i of frameOrder(files.map(({ entry }) => entry))) {
      const placed = files[i];
      if (placed === undefined) continue;
      const { entry, file } = placed;
      const old = predecessors.get(entry.id);
      const size = travelSize(entry);
      const oldSize = old === undefined ? 0 : travelSize(old.entry);
      if (size >= (kindOf(entry.path) === 'elf' ? OWN_FRAME_OF_PROGRAM : OWN_FRAME) || oldSize > GROUP_BASE / 2) {
        for (let offset = 0; offset < size; offset += RUN) {
          const length = Math.min(RUN, size - offset);
          groups.push({ part, pieces: [{ entry, piece: { file, offset, length } }], bases: old === undefined ? [] : [runFor(old, entry, offset, length)] });
        }
        continue;
      }
      if (plain + size > GROUP || base + oldSize > GROUP_BASE || group.bases.length >= MAX_DELTA_RUNS) flush();
      group.pieces.push({ entry, piece: { file, offset: 0, length: size } });
      plain += size;
      if (old !== undefined && !group.bases.some((run) => run.entry.id === old.entry.id)) {
        group.bases.push({ part: old.part, file: old.file, offset: 0, length: oldSize, entry: old.entry });
        base += oldSize;
      }
    }
    flush();
  }
  return groups;
}

/** All of the old file, or of a large one what lies about where the run does. */
function runFor({ part, file, entry }: PlacedFile, next: FileEntry, offset: number, length: number): Group['bases'][number] {
  const size = travelSize(entry);
  if (size <= RUN_BASE) return { part, file, entry, offset: 0, length: size };
  const middle = ((offset + length / 2) / travelSize(next)) * size;
  const start = Math.max(0, Math.min(size - RUN_BASE, Math.floor(middle - RUN_BASE / 2)));
  return { part, file, entry, offset: start - (start % LEAF_SIZE), length: RUN_BASE };
}

/** One frame, or several where what is left is larger than a block. */
async function makeFrame(group: Group, old: PackageContents, next: PackageContents): Promise<Made[]> {
  const content = await readAll(group.pieces.map(({ piece, entry }) => ({ entry, ...piece })), next);
  const base = await readAll(group.bases, old);
  const dictionary = base.length === 0 || isTrainedDictionary(base) ? undefined : base;
  const level = content.length + base.length > LARGE ? LEVEL_OF_LARGE : LEVEL;
  let filter: Filter | undefined;
  if (await hasPrograms(group, next)) {
    // In place: several frames are made at a time, and a base has up to 32 MiB.
    const through = (pass: typeof applyFilter): void => {
      filterRuns(pass, content, group.pieces.map(({ piece }) => piece));
      filterRuns(pass, base, group.bases);
    };
    const plain = await estimate(content, dictionary);
    through(applyFilter);
    if ((await estimate(content, dictionary)) < plain * FILTER_WORTH) filter = 'x86-64';
    else through(undoFilter);
  }
  const bytes = await compressInBackground(content, { level, dictionary });
  if (bytes.length > BLOCK_SIZE) {
    const halves = halve(group);
    if (halves !== undefined) return [...(await makeFrame(halves[0], old, next)), ...(await makeFrame(halves[1], old, next))];
  }
  const block = await rawBlock(bytes, nodeHasher);
  const frame: DeltaFrame = {
    ref: { cid: block.cid, size: bytes.length, plain: content.length },
    part: group.part,
    pieces: group.pieces.flatMap(({ piece: { file, offset, length }, entry }) => (offset === 0 && length === travelSize(entry) ? [file] : [file, -1 - Math.floor(offset / LEAF_SIZE), length])),
    bases: dictionary === undefined ? [] : group.bases.map(({ part, file, offset, length }) => ({ part, file, offset, length })),
    filter,
  };
  return [{ frame, block }];
}

/** What content would come to: a low level tells which of two ways is better, in a twentieth of the time. */
async function estimate(content: Uint8Array, dictionary: Uint8Array | undefined): Promise<number> {
  return (await compressInBackground(content, { level: ESTIMATE_LEVEL, dictionary })).length;
}

/** Puts bytes through the filter, or back, each run by itself, with addresses from the start of its file. */
function filterRuns(pass: typeof applyFilter, bytes: Uint8Array, runs: readonly { offset: number; length: number }[]): void {
  let at = 0;
  for (const { offset, length } of runs) {
    pass('x86-64', bytes.subarray(at, at + length), offset);
    at += length;
  }
}

function halve(group: Group): [Group, Group] | undefined {
  const { pieces } = group;
  if (pieces.length > 1) {
    const middle = pieces.length >> 1;
    return [{ ...group, pieces: pieces.slice(0, middle) }, { ...group, pieces: pieces.slice(middle) }];
  }
  const [only] = pieces;
  if (only === undefined || only.piece.length <= LEAF_SIZE) return undefined;
  const length = Math.ceil(only.piece.length / LEAF_SIZE / 2) * LEAF_SIZE;
  const { file, offset } = only.piece;
  return [
    { ...group, pieces: [{ entry: only.entry, piece: { file, offset, length } }] },
    { ...group, pieces: [{ entry: only.entry, piece: { file, offset: offset + length, length: only.piece.length - length } }] },
  ];
}

async function readAll(runs: readonly { entry: FileEntry; offset: number; length: number }[], from: PackageContents): Promise<Uint8Array> {
  const bytes = new Uint8Array(runs.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const { entry, offset, length } of runs) {
    await from.read(entry, offset, bytes.subarray(at, at + length));
    at += length;
  }
  return bytes;
}

/** Tables that are blocks of their own, each against the one of the same component that begins nearest to it. */
async function tableDeltas(old: PackageContents, next: PackageContents): Promise<{ delta: TableDelta; block: Block }[]> {
  const made: { delta: TableDelta; block: Block }[] = [];
  for (const [part, { part: own, component, table }] of next.parts.entries()) {
    if (own.table instanceof Uint8Array) continue;
    const there = own.table.toString();
    const candidates = old.parts.flatMap((each, i) => (each.component === component ? [{ i, ...each }] : []));
    if (candidates.some((each) => !(each.part.table instanceof Uint8Array) && each.part.table.toString() === there)) continue;
    const first = table.entries[0]?.path ?? '';
    const base = candidates.findLast((each) => (each.table.entries[0]?.path ?? '') <= first) ?? candidates[0];
    if (base === undefined) continue;
    const plain = await next.table(part);
    const bytes = await compressInBackground(plain, { level: LEVEL, dictionary: await old.table(base.i) });
    if (bytes.length >= own.tableSize) continue;
    const block = await rawBlock(bytes, nodeHasher);
    made.push({ delta: { part, base: base.i, ref: { cid: block.cid, size: bytes.length, plain: plain.length } }, block });
  }
  return made;
}

/** The frames that a machine with nothing but the old version would take, and what they save it. */
function worthwhile(delta: Delta, old: PackageContents, next: PackageContents): { used: Set<string>; saved: number } {
  const here = new Set<FileId>(old.parts.flatMap(({ table }) => table.files.map(({ id }) => id)));
  const parts = next.parts.map(({ part, table }) => ({ part, table, dictionary: next.manifest.dictionary }));
  const has = ({ id }: { id: FileId }): boolean => here.has(id);
  const whole = planFetch(parts, { has, gzip: true });
  const plan = planFetch(parts, { has, gzip: true, deltas: knownFrames(delta, tablesOf(old), tablesOf(next)) });
  const used = new Set(plan.frames.flatMap(({ cid, bases }) => (bases === undefined ? [] : [cid.toString()])));
  return { used, saved: whole.download - (plan.download - plan.deltas) };
}

function tablesOf({ parts }: PackageContents): Map<number, Table> {
  return new Map(parts.map(({ table }, i) => [i, table]));
}

/** Whether the largest file of a group is a program or a library: what the filter is for. */
async function hasPrograms({ pieces }: Group, next: PackageContents): Promise<boolean> {
  const [largest] = pieces.toSorted((a, b) => b.piece.length - a.piece.length);
  if (largest === undefined) return false;
  const start = new Uint8Array(Math.min(4, travelSize(largest.entry)));
  await next.read(largest.entry, 0, start);
  return isElf(start);
}

function isElf(content: Uint8Array): boolean {
  return content.length >= 4 && new DataView(content.buffer, content.byteOffset).getUint32(0) === ELF_MAGIC;
}
