/** Carries out a fetch plan: frames by repository, those without a base first, each unpacked as it comes. */
import type { FileId } from '../../core/dag/file-id.ts';
import { MossError, type ErrorCode } from '../../core/error.ts';
import { fetchBlocks } from '../../core/exchange/session.ts';
import { planFetch, type FetchPlan, type PlannedPart, type WantedFrame } from '../../core/install/plan.ts';
import type { InstalledPackage } from '../../core/install/state.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { nodeClock } from '../clock.ts';
import { hasGnuGzip } from '../gzip.ts';
import type { Staging } from '../store/staging.ts';
import { collectGarbage } from './memory.ts';
import type { LoadedPackage } from './package-store.ts';
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
  const get = (frames: readonly WantedFrame[]): Promise<void> => fetchFrames(system, planned, frames, staging, received, { signal });
  const frames = staging.remaining(plan);
  // Deltas start from what is here; other frames are compressed against what the frames before them bring.
  for (const some of [
    frames.filter(({ bases }) => bases !== undefined),
    frames.filter(({ base, bases }) => base === undefined && bases === undefined),
    frames.filter(({ base }) => base !== undefined),
  ]) {
    const failed = await tryFrames(system, planned, some, staging, received, { signal });
    if (failed.size === 0) continue;
    staging.forget(failed);
    const instead = planFetch(partsOf(planned), { has: ({ id }) => !failed.has(id), gzip: hasGnuGzip() });
    await get(instead.frames.filter(({ base }) => base === undefined));
    await get(instead.frames.filter(({ base }) => base !== undefined));
  }
  const refused = new Set<string>(await staging.settle());
  if (refused.size === 0) return;
  // The gzip of this machine gives other bytes: those files come as they are.
  await get(planFetch(partsOf(planned), { has: ({ id }) => !refused.has(id), gzip: false }).frames);
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
  const arrived = new Set<WantedFrame>();
  const fail = (some: readonly WantedFrame[], { message, code, hint }: MossError): void => {
    for (const { pieces } of some) for (const { id } of pieces) failed.add(id);
    system.onEvent({ type: 'warning', message: `a delta is not used, and ${failed.size === 1 ? 'its file is' : `${failed.size} files are`} fetched whole: ${message} (${code})`, hint });
  };
  try {
    await fetchFrames(system, planned, frames, staging, received, {
      ...options,
      onUnpacked: (frame, error) => {
        arrived.add(frame);
        if (error === undefined) return;
        const isDeltas = frame.bases !== undefined || frame.pieces.some(({ id }) => staging.isDoubtful(id));
        if (!isDeltas || !UNUSABLE.has(error.code)) throw error;
        fail([frame], error);
      },
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    const missed = frames.filter((frame) => frame.bases !== undefined && !arrived.has(frame));
    if (!(error instanceof MossError) || !UNAVAILABLE.has(error.code) || missed.length === 0) throw error;
    fail(missed, error);
  }
  return failed;
}

/** What is wrong when a delta does not give what it should, and when it cannot be had. */
const UNUSABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['bad-frame', 'bad-file', 'damaged']);
const UNAVAILABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['no-source', 'source-failed', 'bad-block']);

interface FrameOptions extends AbortOptions {
  /** Told of each frame that was unpacked, or was not: it throws, or the others go on. */
  onUnpacked?: (frame: WantedFrame, error?: MossError) => void;
}

async function fetchFrames(
  system: System,
  planned: PlannedFetch,
  frames: readonly WantedFrame[],
  staging: Staging,
  received: Map<string, number>,
  { signal, onUnpacked }: FrameOptions,
): Promise<void> {
  const { onEvent } = system;
  const byCid = new Map(frames.map((frame) => [frame.cid.toString(), frame]));
  for (const [repository, wants] of framesByRepository(planned, frames)) {
    await fetchBlocks(
      wants.map(({ cid, size }) => ({ cid, maxBytes: size })),
      {
        sources: system.repositories.sources(repository),
        clock: nodeClock,
        signal,
        onBytes: (source, bytes) => {
          received.set(source.name, (received.get(source.name) ?? 0) + bytes);
          onEvent({ type: 'received', source: source.name, kind: source.kind, bytes });
        },
        accept: async ({ cid }, bytes) => {
          const frame = byCid.get(cid.toString());
          if (frame === undefined) throw new MossError('bug', `nobody wanted ${cid.toString()}`);
          try {
            await staging.unpack(frame, bytes);
          } catch (error) {
            if (onUnpacked === undefined || !(error instanceof MossError) || error.code === 'bad-block') throw error;
            onUnpacked(frame, error);
            return;
          }
          onUnpacked?.(frame);
          onEvent({ type: 'done', unit: 'bytes', count: frame.size });
          onEvent({ type: 'done', unit: 'files', count: frame.pieces.filter((piece) => piece.offset + piece.length === piece.total).length });
        },
      },
    );
  }
}

/** A frame comes from the repository of the package that holds it. */
function framesByRepository({ packages, loaded, deltaHomes }: PlannedFetch, frames: readonly WantedFrame[]): Map<string, WantedFrame[]> {
  const homes = new Map<string, string>(deltaHomes);
  for (const { name, repository } of packages) {
    for (const { part, dictionary } of loaded.get(name)?.parts ?? []) {
      for (const { cid } of [...part.frames, ...part.verbatim]) homes.set(cid.toString(), repository);
      if (dictionary !== undefined) homes.set(dictionary.frame.cid.toString(), repository);
    }
  }
  return Map.groupBy(frames, ({ cid }) => homes.get(cid.toString()) ?? '');
}
