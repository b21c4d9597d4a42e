/** How much a source may have under way. Pure. */
import { rateOf } from './estimate.ts';
import type { Situation, SourceView, TaskView } from './situation.ts';

/** Milliseconds in which peers of the local network may prove themselves while the floor holds back. */
export const HEAD_START = 20;
/** Requests that the floor may have in any case, and milliseconds of its rate that may be under way beside peers. */
const LEAST_LANES = 2;
const FLOOR_HORIZON = 500;
/** Bytes under way to one peer, least and most, and the milliseconds of its rate that are asked for beside two ways. */
const LEAST_WINDOW = 1024 * 1024;
const MOST_WINDOW = 12 * 1024 * 1024;
const WINDOW_TIME = 40;
/** Bytes beyond what a peer has brought so many times, at most. */
const FIRST_WINDOW = 256 * 1024;
const GROWTH = 3;
/** Bytes under way to all peers together. */
const MOST_UNDER_WAY = 32 * 1024 * 1024;
/** Milliseconds without a byte after which a source counts as standing still, and how many of its latencies. */
const STILL_AFTER = 100;
const STILL_LATENCIES = 4;
/** As long, for a source that has not answered yet. */
const SILENT_AFTER = 400;
/** Bytes after which the rate of the floor is about what it can do: its connections grow at first. */
const FLOOR_SEEN = 1024 * 1024;
/** Milliseconds by which a source may be done after the others. */
const SLACK = 50;

export function isPeer(source: SourceView): boolean {
  return source.kind !== 'floor';
}

/** Whether something was asked of the source, and nothing came for longer than it usually takes. */
export function standsStill({ attempts, lastProgress, latency }: SourceView, now: number): boolean {
  const patience = latency === undefined ? SILENT_AFTER : STILL_AFTER + STILL_LATENCIES * latency;
  return now - lastProgress > patience && [...attempts].some(({ accepting }) => !accepting);
}

/** Whether the source may be given anything at all now. */
export function isOpen(source: SourceView, { now, sources }: Situation): boolean {
  if (source.out || source.retryAt > now || source.attempts.size >= source.concurrency || standsStill(source, now)) return false;
  if (!isPeer(source)) return true;
  // Who proved nothing yet gets one block: that is what a liar costs.
  if (!source.proven) return source.attempts.size === 0;
  return held(source) < windowOf(source) && heldOfPeers(sources) < MOST_UNDER_WAY;
}

/** Bytes that were asked for, are coming, or are being taken in: what this machine holds for a source, or will. */
function held({ attempts }: SourceView): number {
  let bytes = 0;
  for (const { task } of attempts) bytes += task.bytes;
  return bytes;
}

function heldOfPeers(sources: readonly SourceView[]): number {
  return sources.reduce((sum, source) => sum + (isPeer(source) ? held(source) : 0), 0);
}

/** It grows with what was seen of the peer, so that little is asked of a slow one before that shows. */
function windowOf({ rate, latency = 0 }: SourceView): number {
  const seen = GROWTH * rate.total + FIRST_WINDOW;
  return Math.min(MOST_WINDOW, seen, LEAST_WINDOW + (rateOf(rate) ?? 0) * (2 * latency + WINDOW_TIME));
}

export function underWay({ attempts }: SourceView): number {
  return [...attempts].reduce((sum, { task, progress }) => sum + task.bytes - progress, 0);
}

export function isAlive(source: SourceView, now: number): boolean {
  return !source.out && source.retryAt <= now && !standsStill(source, now);
}

/**
 * Whether the floor may be asked for one thing more. Where there are peers, it has no more under way than it brings in
 * half a second: in a crowd each has a small share of it, and what one asks of it the others may soon have from that one.
 */
export function hasLane(floor: SourceView, { now, startedAt, expecting, sources }: Situation): boolean {
  const { attempts, concurrency, rate } = floor;
  const peers = sources.filter((source) => isPeer(source) && isAlive(source, now));
  if (attempts.size >= concurrency) return false;
  if (attempts.size < LEAST_LANES) return true;
  if (now - startedAt < HEAD_START && (expecting || peers.some(({ kind }) => kind === 'lan'))) return false;
  if (peers.length === 0) return true;
  return underWay(floor) < (rateOf(rate) ?? 0) * FLOOR_HORIZON;
}

/**
 * Whether the peers that may have a task bring at least what the floor would alone: then it gives way to them. What was
 * seen of it so far is the least that it can do, so it is thought of more highly while little was seen.
 */
export function givesWay(floor: SourceView, task: TaskView, situation: Situation): boolean {
  const rate = rateOf(floor.rate);
  if (rate === undefined) return false;
  const peers = rateOfPeers(task, situation);
  if (peers === 0) return false;
  if (peers >= rate * (1 + FLOOR_SEEN / floor.rate.total)) return true;
  // This machine is the slowest of all: it takes in no more than what peers bring alone.
  const taken = rateOf(situation.accepted) ?? Infinity;
  return floor.rate.total >= FLOOR_SEEN && peers > taken * 1.05;
}

/** Bytes in a millisecond that peers bring which have proved themselves in this session, move, and may have the task. */
function rateOfPeers(task: TaskView, { sources, now }: Situation): number {
  return sources.reduce((sum, source) => {
    const counts = isPeer(source) && source.proven && isAlive(source, now) && !task.tried.has(source);
    return sum + (counts ? (rateOf(source.rate) ?? 0) : 0);
  }, 0);
}

/** Whether a source would have the task done before the others, who may have it too, had done everything that is left. */
export function wouldHelp(source: SourceView, task: TaskView, situation: Situation): boolean {
  const busy = new Set([...task.attempts].map((attempt) => attempt.source));
  const others = situation.sources.reduce((sum, other) => {
    const counts = other !== source && !busy.has(other) && !task.tried.has(other) && takesPart(other, task, situation);
    return sum + (counts ? (rateOf(other.rate) ?? 0) : 0);
  }, 0);
  if (others === 0) return true;
  const end = situation.left / others;
  // Nobody is tried out when there is no time left to find out.
  return source.proven || !isPeer(source) ? expectedTime(source, task.bytes) <= end + SLACK : end > SILENT_AFTER;
}

/** Whether a source brings something as things are: the floor does not while it gives way. */
function takesPart(source: SourceView, task: TaskView, situation: Situation): boolean {
  return isAlive(source, situation.now) && (isPeer(source) || !givesWay(source, task, situation));
}

/** Milliseconds until a source would be done with one task more. @param ahead bytes that it has to bring before */
export function expectedTime(source: SourceView, bytes: number, ahead: number = underWay(source)): number {
  const rate = rateOf(source.rate);
  // What a few small files took tells of the way to a peer and of how it woke up, not of its rate.
  if (rate === undefined || (isPeer(source) && source.rate.total < TELLING)) return UNKNOWN_TIME;
  return (source.latency ?? 0) + (ahead + bytes) / rate;
}

/** Bytes of a peer from which on its rate is believed. */
const TELLING = 4 * 1024;
/** Milliseconds: a guess about a source that nothing is known of. */
const UNKNOWN_TIME = 1000;
