/**
 * Files of an update from peers, as deltas against the version that is here: where the repository has no deltas from that
 * version, a peer that has both makes them. What peers do not send so comes as it would have without them.
 */
import type { FileEntry } from '../../core/dag/entry.ts';
import { LEAF_SIZE, type FileId } from '../../core/dag/file-id.ts';
import { fetchDeltas } from '../../core/exchange/fetch-deltas.ts';
import type { DeltaBase, FileUnit } from '../../core/exchange/want.ts';
import { MAX_DELTA_CONTENT } from '../../core/exchange/wire/message.ts';
import type { WantedFrame } from '../../core/install/plan.ts';
import { namedFiles, predecessorsByPath } from '../../core/install/predecessors.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { nodeClock } from '../clock.ts';
import { hasGnuGzip } from '../gzip.ts';
import { nodeHasher } from '../hasher.ts';
import type { PeerAccess } from '../peer/peer-access.ts';
import type { Staging } from '../store/staging.ts';
import { tablesHere } from './deltas.ts';
import type { PlannedFetch } from './fetch-plan.ts';
import { stateNumbers } from './installed.ts';
import { readStateFile } from './state-file.ts';
import type { System } from './system.ts';

/**
 * Milliseconds for a peer to be found, and for all deltas, at least; and by the time that the frames would take from the
 * web server, where that is longer. Fewer bytes are worth that: else nobody would ask for deltas.
 */
const SEARCH = { least: 250, share: 0.05 };
const PATIENCE = { least: 1000, share: 2 };
/** A frame is asked for by deltas only if the files in it that have no predecessor are at most this share of its bytes. */
const NEW_SHARE = 0.25;

type Planned = Pick<PlannedFetch, 'plan' | 'packages' | 'loaded'>;

/** @param received bytes by the name of the source, added to */
export async function fetchPeerDeltas(system: System, planned: Planned, staging: Staging, received: Map<string, number>, { signal }: AbortOptions): Promise<void> {
  const { peers, onEvent } = system;
  const frames = peers === undefined ? [] : openFrames(planned, staging);
  if (peers === undefined || frames.length === 0) return;
  const wanted = new Set(frames.flatMap(({ pieces }) => pieces.map(({ id }) => id)));
  const bases = await findBases(system, planned, wanted);
  if (bases.size === 0) return;
  const asked = new Asked(frames, filesOf(planned), bases);
  if (asked.units.length === 0) return;
  const mirror = timeOf(system, planned, asked.bytes);
  await search(peers, Math.max(SEARCH.least, SEARCH.share * mirror), { signal });
  let came = 0;
  await fetchDeltas({
    sources: peers.sources,
    units: asked.units,
    clock: nodeClock,
    hasher: nodeHasher,
    patience: Math.max(PATIENCE.least, PATIENCE.share * mirror),
    signal,
    take: async (units) => {
      const taken = await staging.takeDeltas(units);
      for (const [i, unit] of units.entries()) {
        if (taken[i] !== 'unusable') continue;
        asked.refuse(unit);
        onEvent({ type: 'warning', message: 'a delta from a peer is not used, and its file is fetched whole: what it starts from was altered on this machine', hint: 'Run `moss verify --repair`.' });
      }
      return taken;
    },
    onRefused: (unit) => asked.refuse(unit),
    isOfUse: (unit) => asked.isOfUse(unit),
    onBytes: ({ name, kind }, bytes) => {
      came += bytes;
      received.set(name, (received.get(name) ?? 0) + bytes);
      onEvent({ type: 'received', source: name, kind, bytes });
    },
    onBan: ({ name }, { message }) => void peers.ban(name, message).catch(() => undefined),
  });
  tellDone(system, frames.filter(({ pieces }) => staging.missing(pieces).length === 0), came);
}

/** Waits for the first peer. @param ms at most so many milliseconds */
async function search(peers: PeerAccess, ms: number, { signal }: AbortOptions): Promise<void> {
  const found = new AbortController();
  const end = (): void => found.abort();
  signal?.addEventListener('abort', end);
  const leave = peers.join([], end);
  await nodeClock.sleep(ms, found).catch(() => undefined);
  leave();
  signal?.removeEventListener('abort', end);
  signal?.throwIfAborted();
}

/** Frames that were to come whole, of packages that peers may be asked for. */
function openFrames({ plan, packages, loaded }: Planned, staging: Staging): WantedFrame[] {
  const quiet = new Set<string>();
  for (const { name } of packages) {
    const it = loaded.get(name);
    if (it === undefined || it.manifest.policy.announce) continue;
    for (const { part } of it.parts) for (const { cid } of [...part.frames, ...part.verbatim]) quiet.add(cid.toString());
  }
  return staging.remaining(plan).filter(({ bases, cid }) => bases === undefined && !quiet.has(cid.toString()));
}

function filesOf({ loaded }: Planned): Map<FileId, FileEntry> {
  return new Map([...loaded.values()].flatMap(({ parts }) => parts.flatMap(({ table }) => table.files.map((file) => [file.id, file] as const))));
}

/** The predecessors of wanted files in a version that is here. */
async function findBases({ layout, store, packages }: System, planned: Planned, wanted: ReadonlySet<FileId>): Promise<Map<FileId, DeltaBase>> {
  const bases = new Map<FileId, DeltaBase>();
  const gzip = hasGnuGzip();
  const earlier = Map.groupBy(stateNumbers(layout).toReversed().flatMap((number) => readStateFile(layout.state(number)).packages), ({ name }) => name);
  for (const { name, manifest } of planned.packages) {
    const previous = earlier.get(name)?.find((each) => !each.manifest.equals(manifest));
    const missing = namedFiles(planned.loaded.get(name)?.parts.map(({ table }) => table) ?? []).filter(({ entry }) => wanted.has(entry.id));
    if (previous === undefined || missing.length === 0 || !(await packages.manifest(previous.manifest)).policy.announce) continue;
    const old = namedFiles([...(await tablesHere(packages, previous.manifest)).values()]);
    const found = predecessorsByPath(missing, old);
    for (const { entry: target } of missing) {
      const base = found.get(target.id)?.entry;
      if (base === undefined || base.size === 0 || !store.has(base)) continue;
      const isUnpacked = gzip && target.recipe !== undefined && base.recipe !== undefined;
      bases.set(target.id, { id: base.id, size: base.size, unpacked: isUnpacked ? base.recipe?.size : undefined });
    }
  }
  return bases;
}

/** Milliseconds that the web servers would take for so many bytes, by what was seen of them. */
function timeOf({ repositories }: System, { packages }: Planned, bytes: number): number {
  const names = new Set(packages.map(({ repository }) => repository));
  const speeds = [...names].flatMap((name) => repositories.sources(name).flatMap(({ speed }) => speed ?? []));
  return Math.max(0, ...speeds.map(({ latency, rate }) => latency + (bytes / rate) * 1000));
}

/** What peers are asked for, and the frames that need not come if they send it. */
class Asked {
  readonly units: FileUnit[] = [];
  /** Bytes of the frames. */
  readonly bytes: number;
  /** Frames of which everything may yet come, by what is in them. */
  readonly #frames = new Map<FileId, Set<WantedFrame>>();
  readonly #hopeless = new Set<WantedFrame>();

  constructor(frames: readonly WantedFrame[], files: ReadonlyMap<FileId, FileEntry>, bases: ReadonlyMap<FileId, DeltaBase>) {
    let bytes = 0;
    for (const frame of frames) {
      const units = new Map(frame.pieces.flatMap(({ id }) => unitOf(files.get(id), bases.get(id)) ?? []).map((unit) => [unit.id, unit]));
      const fresh = [...units.values()].reduce((sum, unit) => sum + (unit.base === undefined ? unit.bytes : 0), 0);
      if (frame.pieces.some(({ id }) => !units.has(id)) || fresh > NEW_SHARE * frame.size) continue;
      bytes += frame.size;
      for (const unit of units.values()) {
        const some = this.#frames.get(unit.id);
        if (some === undefined) this.units.push(unit);
        this.#frames.set(unit.id, (some ?? new Set()).add(frame));
      }
    }
    this.bytes = bytes;
  }

  refuse({ id }: FileUnit): void {
    for (const frame of this.#frames.get(id) ?? []) this.#hopeless.add(frame);
  }

  isOfUse({ id }: FileUnit): boolean {
    return [...(this.#frames.get(id) ?? [])].some((frame) => !this.#hopeless.has(frame));
  }
}

/** What to ask for; `undefined` where a peer would not send it, or it is too much to be sent as it is. */
function unitOf(file: FileEntry | undefined, base: DeltaBase | undefined): FileUnit | undefined {
  if (file === undefined) return undefined;
  const bytes = (base?.unpacked === undefined ? undefined : file.recipe?.size) ?? file.size;
  if (base !== undefined && bytes > 0 && bytes <= MAX_DELTA_CONTENT) return { id: file.id, size: file.size, leaf: undefined, bytes, base };
  return file.size <= LEAF_SIZE ? { id: file.id, size: file.size, leaf: undefined, bytes: file.size } : undefined;
}

function tellDone({ onEvent }: System, done: readonly WantedFrame[], came: number): void {
  for (const { size, pieces } of done) {
    onEvent({ type: 'done', unit: 'bytes', count: size });
    onEvent({ type: 'done', unit: 'files', count: pieces.filter(({ offset, length, total }) => offset + length === total).length });
  }
  const saved = done.reduce((sum, { size }) => sum + size, 0) - came;
  if (saved > 0) onEvent({ type: 'saved', bytes: saved });
}
