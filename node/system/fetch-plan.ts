/** Carries out a fetch plan: frames by repository, each unpacked as it comes, and asked for once what it starts from is here. */
import { existsSync } from 'node:fs';
import type { Cid } from '../../core/dag/cid.ts';
import { fileIdFromDigest, LEAF_SIZE, type FileId } from '../../core/dag/file-id.ts';
import { MossError, type ErrorCode } from '../../core/error.ts';
import { fetchBlocks } from '../../core/exchange/session.ts';
import type { WantedFile } from '../../core/exchange/want.ts';
import { planFetch, type FetchPlan, type PlannedPart, type WantedFrame, type WantedPiece } from '../../core/install/plan.ts';
import type { InstalledPackage } from '../../core/install/state.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { nodeClock } from '../clock.ts';
import { hasGnuGzip } from '../gzip.ts';
import { nodeHasher } from '../hasher.ts';
import { nodeRandom } from '../random.ts';
import type { Staging } from '../store/staging.ts';
import { ArrivingFrames } from './arriving-frames.ts';
import { collectGarbage } from './memory.ts';
import type { LoadedPackage } from './package-store.ts';
import { fetchPeerDeltas } from './peer-deltas.ts';
import { withPeers, type PeerOptions } from './peers.ts';
import type { System } from './system.ts';

export interface PlannedFetch {
  plan: FetchPlan;
  /** Where the frames come from. */
  packages: readonly InstalledPackage[];
  loaded: ReadonlyMap<string, LoadedPackage>;
  /** The repositories of delta frames, by the text of their CIDs. */
  deltaHomes?: ReadonlyMap<string, string> | undefined;
}

/**
 * Brings all files of a plan into the staging directory, verified. What an earlier run brought is not fetched again.
 *
 * @param received bytes by the name of the source, added to
 */
export async function fetchPlan(
  system: System,
  planned: PlannedFetch,
  staging: Staging,
  received: Map<string, number>,
  { signal }: AbortOptions,
): Promise<void> {
  const { plan } = planned;
  collectGarbage();
  system.onEvent({ type: 'total', unit: 'files', count: plan.files });
  system.onEvent({ type: 'total', unit: 'bytes', count: plan.download });
  await staging.resume({ signal });
  const resumed = bytesOf(plan.frames) - bytesOf(staging.remaining(plan));
  if (resumed > 0) system.onEvent({ type: 'resumed', bytes: resumed });
  const get = (frames: readonly WantedFrame[]): Promise<unknown> => fetchFrames(system, planned, frames, staging, received, { signal });
  await fetchPeerDeltas(system, planned, staging, received, { signal });
  // Deltas start from what is here, and bring what other frames may start from.
  const { deltas = [], full = [] } = Object.groupBy(staging.remaining(plan), ({ bases }) => (bases === undefined ? 'full' : 'deltas'));
  const undone = await tryFrames(system, planned, deltas.toSorted(byWork), staging, received, { signal });
  staging.forget(undone);
  // The full frames of what deltas did not bring may start from what only others bring, a dictionary among them.
  const rest = undone.size === 0 ? full : staging.remaining(planFetch(partsOf(planned), { has: (file) => staging.has(file.id) || system.store.has(file), gzip: hasGnuGzip() }));
  if (undone.size > 0) system.onEvent({ type: 'saved', bytes: sizeOf(full) - sizeOf(rest) });
  const failed = await tryFrames(system, planned, rest.toSorted(byWork), staging, received, { signal });
  if (failed.size > 0) {
    staging.forget(failed);
    await get(planFetch(partsOf(planned), { has: ({ id }) => !failed.has(id), gzip: hasGnuGzip() }).frames);
  }
  const refused = new Set<string>(await staging.settle());
  if (refused.size === 0) return;
  // The gzip of this machine gives other bytes: those files come as they are.
  await get(planFetch(partsOf(planned), { has: ({ id }) => !refused.has(id), gzip: false }).frames);
}

/** Bytes of the files that frames bring, or of what they bring of them. */
function bytesOf(frames: readonly WantedFrame[]): number {
  let bytes = 0;
  for (const { pieces } of frames) for (const { length } of pieces) bytes += length;
  return bytes;
}

/** Bytes to fetch. */
function sizeOf(frames: readonly WantedFrame[]): number {
  return frames.reduce((sum, { size }) => sum + size, 0);
}

/** What gzip has to pack comes first, and then what takes longest: so that all cores are busy to the end. */
function byWork(a: WantedFrame, b: WantedFrame): number {
  return Number(isPacked(b)) - Number(isPacked(a)) || b.plain - a.plain;
}

function isPacked({ pieces }: WantedFrame): boolean {
  return pieces.some(({ gzip }) => gzip);
}

/** The dictionaries of packages, as they are staged while a plan is carried out. */
export function dictionariesOf(loaded: ReadonlyMap<string, LoadedPackage>): FileId[] {
  return [...loaded.values()].flatMap(({ manifest: { dictionary } }) => (dictionary === undefined ? [] : [fileIdFromDigest(dictionary.sha256, dictionary.frame.plain)]));
}

function partsOf({ loaded }: PlannedFetch): PlannedPart[] {
  return [...loaded.values()].flatMap((each) => each.parts);
}

/**
 * Fetches frames, and goes on without deltas that something is wrong with: a base that was altered or lost, a delta
 * that is not what its publisher meant, one that no source has.
 *
 * @returns the files that must come by full frames instead
 */
async function tryFrames(
  system: System,
  planned: PlannedFetch,
  frames: readonly WantedFrame[],
  staging: Staging,
  received: Map<string, number>,
  options: AbortOptions,
): Promise<Set<FileId>> {
  const failed = new Set<FileId>();
  const settled = new Set<WantedFrame>();
  const fail = (some: readonly WantedFrame[], { message, code, hint }: MossError): void => {
    for (const { pieces } of some) for (const { id } of pieces) failed.add(id);
    system.onEvent({ type: 'warning', message: `a delta is not used, and ${failed.size === 1 ? 'its file is' : `${failed.size} files are`} fetched whole: ${message} (${code})`, hint });
  };
  try {
    const missed = await fetchFrames(system, planned, frames, staging, received, {
      ...options,
      onUnpacked: (frame, error) => {
        // Also where it starts from a file that a delta spoiled.
        const isDeltas = frame.bases !== undefined || frame.pieces.some(({ id }) => staging.isDoubtful(id)) || (frame.base !== undefined && failed.has(frame.base.id));
        if (error !== undefined && (!isDeltas || !UNUSABLE.has(error.code))) throw error;
        settled.add(frame);
        if (error !== undefined) fail([frame], error);
      },
    });
    const [error] = missed.values();
    if (error !== undefined) fail(frames.filter(({ cid }) => missed.has(cid.toString())), error);
  } catch (error) {
    options.signal?.throwIfAborted();
    const left = frames.filter((frame) => !settled.has(frame));
    if (error instanceof MossError && UNUSABLE.has(error.code)) {
      const altered = await quarantineBases(system, planned, left);
      if (altered.length === 0) throw error;
      for (const { pieces } of left) for (const { id } of pieces) failed.add(id);
      for (const id of altered) failed.add(id);
      return failed;
    }
    const deltas = left.filter((frame) => frame.bases !== undefined);
    if (!(error instanceof MossError) || !UNAVAILABLE.has(error.code) || deltas.length === 0) throw error;
    fail(deltas, error);
  }
  return failed;
}

/**
 * Reads what frames are compressed against, after one of them gave wrong bytes: what was altered in the store is taken
 * out of it, and comes anew.
 */
async function quarantineBases({ store, layout, onEvent }: System, planned: PlannedFetch, frames: readonly WantedFrame[]): Promise<FileId[]> {
  const bases = new Map(frames.flatMap(({ base }) => (base === undefined ? [] : [[base.id, base]])));
  const altered: FileId[] = [];
  for (const { id, size } of bases.values()) {
    const copies = [false, true].map((executable) => ({ id, size, executable })).filter((copy) => existsSync(layout.stored(id, copy.executable)));
    const good = await store.check(copies.map((copy) => ({ id, size, path: layout.stored(id, copy.executable) })));
    const bad = copies.filter((_, i) => good[i] !== true);
    if (bad.length === 0) continue;
    for (const copy of bad) store.quarantine(copy);
    altered.push(id);
    const path = partsOf(planned).flatMap(({ table }) => table.files).find((file) => file.id === id)?.path;
    onEvent({
      type: 'warning',
      message: `${path === undefined ? layout.stored(id, false) : `/${path}`}, which other files are unpacked with, was altered in the store: it is fetched again`,
      hint: 'Run `moss verify --repair` afterwards: states may have it under other names.',
    });
  }
  return altered;
}

/** What is wrong when a delta does not give what it should. */
const UNUSABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['bad-frame', 'bad-file', 'damaged']);
/** What is wrong when a block cannot be had. */
export const UNAVAILABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['no-source', 'source-failed', 'bad-block']);

interface FrameOptions extends AbortOptions {
  /** Told of each frame that was unpacked, or was not: it throws, or the others go on. */
  onUnpacked?: (frame: WantedFrame, error?: MossError) => void;
}

/** @returns the delta frames that cannot be had, by the text of their CIDs, and why */
async function fetchFrames(
  system: System,
  planned: PlannedFetch,
  frames: readonly WantedFrame[],
  staging: Staging,
  received: Map<string, number>,
  { signal, onUnpacked }: FrameOptions,
): Promise<Map<string, MossError>> {
  const { onEvent, peers } = system;
  const missed = new Map<string, MossError>();
  const homes = homesOf(planned);
  const homeOf = ({ cid }: Pick<WantedFrame, 'cid'>): Home | undefined => homes.get(cid.toString());
  const sizes = peers === undefined ? undefined : fileSizes(planned);
  // A dictionary that is no file of its package is with peers as it travels.
  const asFiles = ({ pieces }: WantedFrame): WantedFile[] | undefined => (sizes !== undefined && pieces.every(({ id }) => sizes.has(id)) ? filesOf(pieces, sizes) : undefined);
  const starts = startsOf(frames);
  // What starts from what another repository brings comes after all else.
  const { own = [], foreign = [] } = Object.groupBy(frames, (frame) => (starts(frame)?.some((cid) => homeOf({ cid }) !== homeOf(frame)) === true ? 'foreign' : 'own'));
  for (const [home, some] of [...Map.groupBy(own, homeOf), ...Map.groupBy(foreign, homeOf)]) {
    const arriving = new ArrivingFrames(some, { staging, onEvent, onUnpacked });
    const sources = home === undefined ? [] : system.repositories.sourcesOf(home.repository, peers);
    const fetch = async ({ known = [], ...asked }: PeerOptions): Promise<void> => {
      const report = await fetchBlocks(
        arriving.left.map((frame) => ({ cid: frame.cid, maxBytes: frame.size, files: asFiles(frame), after: starts(frame), optional: frame.bases !== undefined })),
        {
          ...asked,
          ...(asked.join !== undefined && { hasher: nodeHasher, random: nodeRandom, acceptFiles: ({ cid }, units) => arriving.takeFiles(cid, units) }),
          sources: [...sources, ...known],
          clock: nodeClock,
          signal,
          onBytes: (source, bytes) => {
            received.set(source.name, (received.get(source.name) ?? 0) + bytes);
            onEvent({ type: 'received', source: source.name, kind: source.kind, bytes });
          },
          accept: async ({ cid }, bytes) => {
            // Others may ask this machine for it: without it, they could not use what is compressed against it.
            if (home?.dictionaries.has(cid.toString()) === true) await system.packages.add(cid, bytes);
            await arriving.takeFrame(cid, bytes);
          },
        },
      );
      for (const [{ cid }, error] of report.missed) missed.set(cid.toString(), error);
    };
    try {
      await withPeers(home?.announce === true ? peers : undefined, fetch);
    } finally {
      await arriving.close();
    }
  }
  return missed;
}

/** For each frame, the ones that bring what it is compressed against, unless that is here. */
function startsOf(frames: readonly WantedFrame[]): (frame: WantedFrame) => readonly Cid[] | undefined {
  const bases = new Set(frames.flatMap(({ base }) => base?.id ?? []));
  const brought = new Map<FileId, Cid[]>([...bases].map((id) => [id, []]));
  for (const { cid, base, pieces } of frames) if (base === undefined) for (const { id } of pieces) brought.get(id)?.push(cid);
  return ({ base }) => base && brought.get(base.id);
}

/** Where a frame is asked for: in the repository of the package that holds it, and of peers if that may be told. */
interface Home {
  repository: string;
  announce: boolean;
  dictionaries: Set<string>;
}

function homesOf({ packages, loaded, deltaHomes }: PlannedFetch): Map<string, Home> {
  const known = new Map<string, Home>();
  const homeOf = (repository: string, announce: boolean): Home => {
    const key = `${announce ? '+' : '-'}${repository}`;
    const home = known.get(key) ?? { repository, announce, dictionaries: new Set() };
    known.set(key, home);
    return home;
  };
  const homes = new Map<string, Home>();
  // Deltas are of one package: whether that may be told of is not noted beside them.
  for (const [cid, repository] of deltaHomes ?? []) homes.set(cid, homeOf(repository, false));
  for (const { name, repository } of packages) {
    const it = loaded.get(name);
    if (it === undefined) continue;
    const home = homeOf(repository, it.manifest.policy.announce);
    for (const { part, dictionary } of it.parts) {
      for (const { cid } of [...part.frames, ...part.verbatim]) homes.set(cid.toString(), home);
      if (dictionary === undefined) continue;
      homes.set(dictionary.frame.cid.toString(), home);
      home.dictionaries.add(dictionary.frame.cid.toString());
    }
  }
  return homes;
}

/** Bytes of each file as it is, whether or not it travels unpacked. */
function fileSizes(planned: PlannedFetch): Map<FileId, number> {
  return new Map(partsOf(planned).flatMap(({ table }) => table.files.map(({ id, size }) => [id, size] as const)));
}

/** What a frame brings, as a peer has it that installed it: files, and leaves of large ones. */
function filesOf(pieces: readonly WantedPiece[], sizes: ReadonlyMap<FileId, number>): WantedFile[] {
  return pieces.map(({ id, offset, length, total, gzip }) => {
    const size = sizes.get(id) ?? total;
    // A packed document comes whole and packed: what its frame brings is what is in it.
    return gzip || size <= LEAF_SIZE ? { id, size } : { id, size, leaves: { first: offset / LEAF_SIZE, count: Math.ceil(length / LEAF_SIZE) } };
  });
}
