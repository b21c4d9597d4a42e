/** The bounds that the user set: how many states stay, and how much a root may take. */
import { lstatSync, readdirSync } from 'node:fs';
import { MossError } from '../../core/error.ts';
import type { InstalledPackage } from '../../core/install/state.ts';
import type { Layout } from '../store/layout.ts';
import { formatBytes } from '../ui/format.ts';
import { CACHE_PARTS, findPrunable, prune } from './cache.ts';
import { bytesOnDisk, type Amount } from './freed.ts';
import { activeNumber, stateNumbers } from './installed.ts';
import { pinnedStates } from './pins.ts';
import { removeStates } from './states.ts';
import type { System } from './system.ts';

export interface Room {
  /** States that went. */
  states: number[];
  freed: Amount;
}

/** What `.moss` takes on the disk: each file once, however many names it has. */
export function measureRoot(layout: Layout): number {
  const seen = new Set<string>();
  let bytes = 0;
  const walk = (directory: string): void => {
    bytes += bytesOnDisk(lstatSync(directory));
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory()) {
        walk(path);
        continue;
      }
      const stat = lstatSync(path);
      if (stat.nlink > 1) {
        const key = `${stat.dev}:${stat.ino}`;
        if (seen.has(key)) continue;
        seen.add(key);
      }
      bytes += bytesOnDisk(stat);
    }
  };
  walk(layout.moss);
  return bytes;
}

/** States that may go, oldest first: not the active one, nor the one before it, nor pinned ones. */
export function removableStates(layout: Layout, before: number | undefined): number[] {
  const pinned = pinnedStates(layout);
  const active = activeNumber(layout);
  return stateNumbers(layout).filter((number) => number !== active && number !== before && !pinned.has(number));
}

/**
 * Makes room for a change, where a quota is set: what no state needs goes, then old states, until there is enough.
 *
 * @param wanted bytes that the change adds
 * @param coming packages of the state that it makes: what is here of them stays
 * @throws MossError `disk-full` when there cannot be enough; then nothing was removed
 */
export async function makeRoom(system: System, wanted: number, coming: readonly InstalledPackage[]): Promise<Room> {
  const { layout, settings } = system;
  const quota = settings['store-quota'];
  const room: Room = { states: [], freed: { files: 0, bytes: 0 } };
  if (quota === 0) return room;
  let used = measureRoot(layout);
  if (used + wanted <= quota) return room;
  // What an interrupted run brought may be of use to this one: it goes last, with all else that is not needed.
  const unneeded = await findPrunable({ layout, packages: system.packages, parts: CACHE_PARTS.filter((part) => part !== 'staging'), coming });
  const spare = CACHE_PARTS.reduce((sum, part) => sum + unneeded.sizes[part].bytes, 0);
  const candidates = removableStates(layout, undefined);
  const states: number[] = [];
  let freed: Amount = { files: 0, bytes: spare };
  while (used - freed.bytes + wanted > quota) {
    const next = candidates.shift();
    if (next === undefined) {
      throw new MossError('disk-full', `this takes up to ${formatBytes(wanted)} more, and ${formatBytes(used - freed.bytes)} are in use that cannot be freed, of the ${formatBytes(quota)} of store-quota`, {
        hint: 'Raise the quota (`moss config set store-quota SIZE`), unpin states that are not needed, or remove packages.',
        data: { quota, used, wanted },
      });
    }
    states.push(next);
    const all = await removeStates(system, states, { dryRun: true, coming });
    freed = { files: all.files, bytes: spare + all.bytes };
  }
  prune(layout, unneeded);
  if (states.length > 0) await removeStates(system, states, { dryRun: false, coming });
  used -= freed.bytes;
  return { states, freed };
}

/**
 * Keeps to the bounds after a change: at most `keep-states` states, and no more than the quota.
 *
 * @param before the state that was active: it stays, so that one can go back
 */
export async function keepBounds(system: System, before: number | undefined): Promise<Room> {
  const { layout, settings } = system;
  const { 'keep-states': keep, 'store-quota': quota } = settings;
  if (keep === 0 && quota === 0) return { states: [], freed: { files: 0, bytes: 0 } };
  const removable = removableStates(layout, before);
  const others = stateNumbers(layout).length - removable.length;
  const states = keep === 0 ? [] : removable.slice(0, Math.max(0, removable.length - Math.max(0, keep - others)));
  if (quota > 0) {
    const used = measureRoot(layout);
    while (used - (states.length === 0 ? 0 : (await removeStates(system, states, { dryRun: true })).bytes) > quota) {
      const next = removable[states.length];
      if (next === undefined) break;
      states.push(next);
    }
  }
  const freed = states.length === 0 ? { files: 0, bytes: 0 } : await removeStates(system, states, { dryRun: false });
  return { states, freed };
}
