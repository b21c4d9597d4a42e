/**
 * Which source is asked for what, and when another one is asked for the same. Pure: it reads what the session knows, and
 * says what to do next. README.md has the rules in words.
 */
import { expectedTime, givesWay, hasLane, HEAD_START, isAlive, isOpen, isPeer, standsStill, wouldHelp } from './capacity.ts';
import { quantile, rateOf } from './estimate.ts';
import { crowdOf, isOutbid } from './share-out.ts';
import type { AttemptView, Situation, SourceView, TaskView } from './situation.ts';

export interface Start {
  readonly task: TaskView;
  readonly source: SourceView;
}

/** Tasks that are compared for the rarest, and those that are looked at for them. */
const LOOK = 128;
const REACH = 512;
/** The share of all bytes that may come twice. */
const MOST_TWICE = 0.03;
/** A rival must be expected to be done so many times earlier; the floor need not, since it can be relied on. */
const GAIN = 1.5;
const FLOOR_GAIN = 0.5;
/** Where it would be done so many times earlier, nothing else is waited for. */
const HOPELESS = 4;
/** Milliseconds of silence that are too many before any duration was seen. */
const LATE_UNSEEN = 400;
/** Milliseconds, and the share of the time so far, that are worth it. */
const SHOWS = 50;
const SHOWING_SHARE = 0.05;
/** Sources that are asked for the same at the same time, where the floor is among them. */
const MOST_ATTEMPTS = 3;

/** The next thing to begin; `undefined` when nothing should be, as things are. */
export function choose(situation: Situation): Start | undefined {
  const open = situation.sources.filter((source) => isOpen(source, situation)).toSorted(quickestFirst);
  if (open.length === 0) return undefined;
  return rescue(open, situation) ?? begin(open, situation) ?? rival(open, situation) ?? goOn(open, situation);
}

/** Something is always under way, however little it helps. */
function goOn(open: readonly SourceView[], situation: Situation): Start | undefined {
  if (situation.attempts.size > 0) return undefined;
  for (const source of open.toReversed()) {
    const task = situation.queue.find((each) => !each.tried.has(source) && (isPeer(source) || !isOutbid(each, situation)));
    if (task !== undefined) return { task, source };
  }
  return undefined;
}

/** Peers before the floor, near ones before far ones, quick ones before slow ones. */
function quickestFirst(a: SourceView, b: SourceView): number {
  const order = { lan: 0, far: 1, floor: 2 };
  return order[a.kind] - order[b.kind] || (rateOf(b.rate) ?? 0) - (rateOf(a.rate) ?? 0);
}

/** What is under way at sources that stand still is begun elsewhere before anything new. */
function rescue(open: readonly SourceView[], situation: Situation): Start | undefined {
  if (!situation.sources.some((source) => standsStill(source, situation.now))) return undefined;
  for (const task of underWayTasks(situation)) {
    const stuck = [...task.attempts].every(({ source, accepting }) => !accepting && standsStill(source, situation.now));
    if (!stuck) continue;
    // Where nobody who was right before is free, one that nothing is known of is worth a block.
    const other = quickest(open, task, situation) ?? free(open, task, situation)[0];
    if (other !== undefined && wouldHelp(other, task, situation)) return { task, source: other };
  }
  return undefined;
}

/** Tasks that may be begun once more. */
function underWayTasks({ attempts }: Situation): TaskView[] {
  const tasks = [...new Set([...attempts].map(({ task }) => task))];
  return tasks.filter((task) => task.attempts.size < MOST_ATTEMPTS || [...task.attempts].every(({ source }) => isPeer(source)));
}

/** Who would be done first with a task that others are asked for, of those who were right before. */
function quickest(open: readonly SourceView[], task: TaskView, situation: Situation): SourceView | undefined {
  return free(open, task, situation)
    .filter((source) => source.proven || !isPeer(source))
    .toSorted((a, b) => expectedTime(a, task.bytes) - expectedTime(b, task.bytes))[0];
}

/** Sources that may have a task and are not asked for it. */
function free(open: readonly SourceView[], task: TaskView, situation: Situation): SourceView[] {
  const busy = new Set([...task.attempts].map(({ source }) => source));
  const outbid = isOutbid(task, situation);
  return open.filter((source) => !busy.has(source) && !task.tried.has(source) && (isPeer(source) || !outbid));
}

function begin(open: readonly SourceView[], situation: Situation): Start | undefined {
  for (const source of open) {
    const task = pick(source, situation);
    if (task !== undefined) return { task, source };
  }
  return undefined;
}

/**
 * Rarest first, so that many who fetch the same soon have something for each other. Who proved nothing yet gets the
 * smallest: that tells enough, and little is lost with it.
 */
function pick(source: SourceView, situation: Situation): TaskView | undefined {
  if (!isPeer(source) && !hasLane(source, situation)) return undefined;
  const smallest = isPeer(source) && !source.proven;
  const crowd = isPeer(source) ? undefined : crowdOf(source, situation);
  let best: TaskView | undefined;
  let least = Infinity;
  let seen = 0;
  for (const task of situation.queue.slice(0, REACH)) {
    if (seen === LOOK) break;
    if (task.tried.has(source) || (!isPeer(source) && (givesWay(source, task, situation) || isOutbid(task, situation))) || crowd?.waits(task) === true) continue;
    seen++;
    const rank = smallest ? task.bytes : task.holders + (crowd?.before(task) ?? 0);
    if (best === undefined || rank < least) [best, least] = [task, rank];
  }
  if (best === undefined || (isPeer(source) && !wouldHelp(source, best, situation))) return undefined;
  return best;
}

/** A second source for what takes longer than p80 of what was seen, where nothing else is left to do. */
function rival(open: readonly SourceView[], situation: Situation): Start | undefined {
  const idle = open.filter((source) => !situation.queue.some(({ tried }) => !tried.has(source)));
  if (idle.length === 0) return undefined;
  const lefts = underWayTasks(situation)
    .filter((task) => ![...task.attempts].some(({ accepting }) => accepting) && free(idle, task, situation).length > 0)
    .map((task) => ({ task, left: Math.min(...[...task.attempts].map((attempt) => expectedLeft(attempt, situation))) }));
  // What would be done last comes first.
  for (const { task, left } of lefts.toSorted((a, b) => b.left - a.left)) {
    const best = quickest(idle, task, situation);
    if (best !== undefined && wouldHelp(best, task, situation) && pays(task, left, best, situation)) return { task, source: best };
  }
  return undefined;
}

/** Whether the rival would be done much earlier, and what it may cost is within the share of bytes that come twice. */
function pays(task: TaskView, left: number, rivalSource: SourceView, situation: Situation): boolean {
  const time = expectedTime(rivalSource, task.bytes);
  const attempts = [...task.attempts];
  if (left < (isPeer(rivalSource) ? GAIN : FLOOR_GAIN) * time) return false;
  // It would be given up at once: who is beaten has to be seen the same way before and after.
  if (attempts.some((attempt) => isBringing(attempt, situation) && expectedLeft(attempt, situation) <= time)) return false;
  if (left < HOPELESS * time && !attempts.every((attempt) => isLate(attempt, situation))) return false;
  const cost = attempts.reduce((sum, attempt) => sum + costOf(attempt, time, situation), 0);
  if (cost === 0 || situation.wasted + reserved(situation) + cost <= MOST_TWICE * situation.total) return true;
  // Better a few bytes too many than to be slower, by something that shows, than with the floor alone.
  return !isPeer(rivalSource) && left - time > Math.max(SHOWS, SHOWING_SHARE * (situation.now - situation.startedAt));
}

/** What has come of an attempt, and will have come in so many milliseconds: it would have come for nothing. */
function costOf(attempt: AttemptView, time: number, { now }: Situation): number {
  const rate = standsStill(attempt.source, now) ? 0 : (rateOf(attempt.source.rate) ?? 0);
  return Math.min(attempt.task.bytes, attempt.atStake + Math.max(0, time * rate - aheadOf(attempt)));
}

function isLate({ task, source, startedAt, received }: AttemptView, { now, durations }: Situation): boolean {
  // Of whom nothing is known, little is expected.
  if (received === 0 && isPeer(source) && !source.proven) return now - startedAt >= HEAD_START;
  const usual = quantile(durations, 0.8, task.bytes);
  return usual === undefined ? received === 0 && now - startedAt > LATE_UNSEEN : now - startedAt > usual;
}

/**
 * Milliseconds until an attempt is done. A peer sends one thing after the other, at its rate; the floor sends all at
 * once, each at its own.
 */
function expectedLeft(attempt: AttemptView, { now }: Situation): number {
  const { task, source, progress, firstAt } = attempt;
  if (!isPeer(source) && firstAt !== undefined && progress > 0) return ((task.bytes - progress) / progress) * Math.max(1, now - firstAt);
  const rate = rateOf(source.rate);
  if (rate === undefined || standsStill(source, now)) return Infinity;
  // As long as it has been silent it may be again: what it is sending may be something that was cancelled.
  return now - source.lastProgress + (aheadOf(attempt) + task.bytes - progress) / rate;
}

/** Bytes that a source was asked for before, and still has to bring. */
function aheadOf(attempt: AttemptView): number {
  let bytes = 0;
  for (const other of attempt.source.attempts) {
    if (other === attempt) break;
    bytes += other.task.bytes - other.progress;
  }
  return bytes;
}

/** Bytes that are lost already where two sources are bringing the same. */
function reserved({ attempts }: Situation): number {
  const doubled = new Set([...attempts].filter(({ task }) => task.attempts.size > 1).map(({ task }) => task));
  return [...doubled].reduce((sum, task) => sum + Math.min(...[...task.attempts].map(({ atStake }) => atStake)), 0);
}

/**
 * Attempts to be cancelled since others do better: silent ones at once, as they cost nothing. Where several bring
 * something, the first one to be done wins, as long as what comes twice stays within its share.
 */
export function losers(situation: Situation): AttemptView[] {
  // A peer that alone is asked for something goes on with it.
  const doubtful: AttemptView[] = [];
  for (const attempt of situation.attempts) if (!attempt.accepting && (attempt.task.attempts.size > 1 || !isPeer(attempt.source))) doubtful.push(attempt);
  if (doubtful.length === 0) return doubtful;
  const scarce = situation.wasted + reserved(situation) > (MOST_TWICE / 2) * situation.total;
  return doubtful.filter((attempt) => {
    const { task, received } = attempt;
    if (task.attempts.size > 1) {
      const others = [...task.attempts].filter((other) => other !== attempt);
      return received === 0 ? others.some((other) => isBeaten(attempt, other, situation)) : scarce && others.some((other) => isBehind(attempt, other, situation));
    }
    // The floor gives back what it has not begun with.
    if (isOutbid(task, situation) && situation.wasted + attempt.atStake <= MOST_TWICE * situation.total) return true;
    return received === 0 && givesWay(attempt.source, task, situation);
  });
}

/** A rival that brings something beats who is silent; and who began to bring something beats a rival that gains nothing. */
function isBeaten(silent: AttemptView, other: AttemptView, situation: Situation): boolean {
  if (!isBringing(other, situation)) return false;
  return other.startedAt > silent.startedAt || expectedLeft(other, situation) <= expectedTime(silent.source, silent.task.bytes, aheadOf(silent));
}

function isBringing({ received, source }: AttemptView, { now }: Situation): boolean {
  return received > 0 && isAlive(source, now);
}

/** Of two that bring something, the one that will be later; of equals the one that began later. */
function isBehind(attempt: AttemptView, other: AttemptView, situation: Situation): boolean {
  if (!isBringing(other, situation)) return false;
  const [mine, its] = [expectedLeft(attempt, situation), expectedLeft(other, situation)];
  return mine > its || (mine === its && attempt.startedAt > other.startedAt);
}
