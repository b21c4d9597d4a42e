/**
 * Who of a crowd fetches what from the floor: each block has an order of all peers that everybody finds out for itself
 * (highest random weight, Thaler and Ravishankar 1998), so that those who fetch the same begin with different blocks, and
 * nobody has to be told. Pure.
 */
import { BLOCK_SIZE } from '../dag/block.ts';
import { isAlive, isPeer } from './capacity.ts';
import { rateOf } from './estimate.ts';
import { CLAIM_HOLDS, CLAIMS_HOLD } from './news.ts';
import type { Situation, SourceView, TaskView } from './situation.ts';

/**
 * Milliseconds since a peer got something, in which it is taken to be fetching the same: it is asked twice a second, and what
 * it fetches takes it about as long as this one.
 */
const GAINING = 1500;
const LONGEST_BLOCK = 4000;
/** Milliseconds since anything was taken in, in which what comes counts as coming. */
const COMING = 1000;

/** How high this one's claim to a block is. */
export function claimOf({ seed }: Pick<TaskView, 'seed'>, self: number): number {
  return weightOf(seed, self);
}

/**
 * Whether a block is left to somebody else, who claimed it higher: for a while after that was heard, and on while more comes
 * than what was seen of the floor.
 */
export function isOutbid({ claim, seed }: TaskView, situation: Situation): boolean {
  const { self, now, sources, accepted, acceptedAt } = situation;
  if (self === undefined || claim === undefined || claim.weight <= weightOf(seed, self)) return false;
  if (now - claim.heardAt < CLAIM_HOLDS && now - claim.since < CLAIMS_HOLD && isBelieved(situation)) return true;
  const floor = sources.reduce((sum, source) => sum + (isPeer(source) ? 0 : (rateOf(source.rate) ?? 0)), 0);
  return now - acceptedAt < COMING && (rateOf(accepted) ?? 0) > floor;
}

/** A word alone is enough at first; later, something must have come of peers: who claims and brings nothing costs little. */
function isBelieved({ now, startedAt, sources }: Situation): boolean {
  return now - startedAt < CLAIM_HOLDS || sources.some((source) => isPeer(source) && source.proven && now - source.lastProgress < CLAIM_HOLDS);
}

export interface Crowd {
  /** How many others come before this one for a task: an order, and no promise. */
  before(task: TaskView): number;
  /** Whether the floor need not be asked for a task yet, since somebody whose turn it is may be asking it. */
  waits(task: TaskView): boolean;
}

/** Those who seem to be fetching the same; `undefined` where there are none, or they do not know this one. */
export function crowdOf(floor: SourceView, { self, sources, now, accepted, acceptedAt }: Situation): Crowd | undefined {
  if (self === undefined) return undefined;
  const patience = GAINING + Math.min(LONGEST_BLOCK, BLOCK_SIZE / (rateOf(floor.rate) ?? Infinity));
  // At the very first, anybody may be.
  const isFetching = ({ gainedAt }: SourceView): boolean => floor.rate.total === 0 || (gainedAt !== undefined && now - gainedAt < patience);
  const fetching = sources.filter((source) => isPeer(source) && isAlive(source, now) && isFetching(source));
  if (fetching.length === 0) return undefined;
  // As long as all together bring more than the floor would alone: who waits is no slower than who does not.
  const pays = now - acceptedAt < COMING && (rateOf(accepted) ?? 0) > (rateOf(floor.rate) ?? Infinity);
  const comeBefore = ({ seed }: TaskView): SourceView[] => {
    const mine = weightOf(seed, self);
    return fetching.filter((peer) => weightOf(seed, peer.seed) > mine);
  };
  return { before: (task) => comeBefore(task).length, waits: (task) => pays && comeBefore(task).some(({ proven }) => proven) };
}

/** 32 bits of a text that are as good as random: FNV-1a, mixed. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}

/** How early it is a peer's turn for a block: the higher, the earlier. */
function weightOf(block: number, peer: number): number {
  return mix(block ^ peer);
}

/** The end of MurmurHash3 (Austin Appleby, public domain). */
function mix(bits: number): number {
  let hash = bits;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
