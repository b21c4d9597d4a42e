/** Carries out a fetch plan: frames by repository, those without a base first, each unpacked as it comes. */
import { parseCid } from '../../core/dag/cid.ts';
import type { FileEntry } from '../../core/dag/entry.ts';
import { MossError } from '../../core/error.ts';
import { fetchBlocks } from '../../core/exchange/session.ts';
import type { FetchPlan, WantedFrame } from '../../core/install/plan.ts';
import type { InstalledPackage } from '../../core/install/state.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { nodeClock } from '../clock.ts';
import type { Staging } from '../store/staging.ts';
import type { LoadedPackage } from './package-store.ts';
import type { System } from './system.ts';

export interface PlannedFetch {
  plan: FetchPlan;
  /** Where the frames come from. */
  packages: readonly InstalledPackage[];
  loaded: ReadonlyMap<string, LoadedPackage>;
  /** The files that the plan is for. */
  files: Iterable<FileEntry>;
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
  system.onEvent({ type: 'total', unit: 'files', count: plan.files });
  system.onEvent({ type: 'total', unit: 'bytes', count: plan.download });
  await staging.resume({ signal });
  const get = (frames: readonly WantedFrame[]): Promise<void> => fetchFrames(system, planned, frames, staging, received, { signal });
  const frames = staging.remaining(plan);
  // A frame is compressed against what the frames before it bring.
  await get(frames.filter(({ base }) => base === undefined));
  await get(frames.filter(({ base }) => base !== undefined));
  const refused = new Set<string>(await staging.settle());
  if (refused.size > 0) await get(verbatimFrames(planned.files, refused));
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
    for (const { part, table, dictionary } of loaded.get(name)?.parts ?? []) {
      for (const { cid } of part.frames) homes.set(cid.toString(), repository);
      for (const file of table.files) if (file.recipe !== undefined) homes.set(file.id, repository);
      if (dictionary !== undefined) homes.set(dictionary.frame.cid.toString(), repository);
    }
  }
  return Map.groupBy(frames, ({ cid }) => homes.get(cid.toString()) ?? '');
}

/** Documents as they are, where the gzip of this machine does not give them back. */
function verbatimFrames(files: Iterable<FileEntry>, refused: ReadonlySet<string>): WantedFrame[] {
  const out = new Map<string, WantedFrame>();
  for (const { id, size } of files) {
    if (!refused.has(id)) continue;
    const piece = { id, at: 0, offset: 0, length: size, total: size, gzip: false };
    out.set(id, { cid: parseCid(id), size, plain: size, compressed: false, pieces: [piece] });
  }
  return [...out.values()];
}
