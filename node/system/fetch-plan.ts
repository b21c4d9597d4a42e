/** Carries out a fetch plan: frames by repository, those without a base first, each unpacked as it comes. */
import { MossError } from '../../core/error.ts';
import { fetchBlocks } from '../../core/exchange/session.ts';
import { planFetch, type FetchPlan, type WantedFrame } from '../../core/install/plan.ts';
import type { InstalledPackage } from '../../core/install/state.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { nodeClock } from '../clock.ts';
import type { Staging } from '../store/staging.ts';
import { collectGarbage } from './memory.ts';
import type { LoadedPackage } from './package-store.ts';
import type { System } from './system.ts';

export interface PlannedFetch {
  plan: FetchPlan;
  /** Where the frames come from. */
  packages: readonly InstalledPackage[];
  loaded: ReadonlyMap<string, LoadedPackage>;
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
  // A frame is compressed against what the frames before it bring.
  await get(frames.filter(({ base }) => base === undefined));
  await get(frames.filter(({ base }) => base !== undefined));
  const refused = new Set<string>(await staging.settle());
  if (refused.size === 0) return;
  // The gzip of this machine gives other bytes: those files come as they are.
  const parts = [...planned.loaded.values()].flatMap((each) => each.parts);
  await get(planFetch(parts, { has: ({ id }) => !refused.has(id), gzip: false }).frames);
}

async function fetchFrames(
  system: System,
  planned: PlannedFetch,
  frames: readonly WantedFrame[],
  staging: Staging,
  received: Map<string, number>,
  { signal }: AbortOptions,
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
          await staging.unpack(frame, bytes);
          onEvent({ type: 'done', unit: 'bytes', count: frame.size });
          onEvent({ type: 'done', unit: 'files', count: frame.pieces.filter((piece) => piece.offset + piece.length === piece.total).length });
        },
      },
    );
  }
}

/** A frame comes from the repository of the package that holds it. */
function framesByRepository({ packages, loaded }: PlannedFetch, frames: readonly WantedFrame[]): Map<string, WantedFrame[]> {
  const homes = new Map<string, string>();
  for (const { name, repository } of packages) {
    for (const { part, dictionary } of loaded.get(name)?.parts ?? []) {
      for (const { cid } of [...part.frames, ...part.verbatim]) homes.set(cid.toString(), repository);
      if (dictionary !== undefined) homes.set(dictionary.frame.cid.toString(), repository);
    }
  }
  return Map.groupBy(frames, ({ cid }) => homes.get(cid.toString()) ?? '');
}
