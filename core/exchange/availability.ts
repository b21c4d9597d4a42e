/** What peers have of a session's tasks: asked for ahead, so that nobody is asked for what it lacks, and the rarest comes first. */
import { parseCid } from '../dag/cid.ts';
import { MossError } from '../error.ts';
import type { AbortSignal } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { Wanted } from '../ports/holdings.ts';
import type { FileSource, HasOptions, Held, Tidings } from '../ports/source.ts';
import type { News } from './news.ts';
import type { SourceState } from './source-state.ts';
import type { Task } from './task.ts';

/** Tasks that are asked about at once: a query has room for three questions about each. */
const BATCH = 340;
/** Milliseconds until the same peer is asked again for what it lacked: it may be fetching, too. */
const AGAIN = 500;
const AGAIN_AT_MOST = 8000;

export interface AvailabilityOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Tasks that nobody was asked for yet, in their order. */
  queue: () => readonly Task[];
  /** All that are not done: what comes of them later is heard of, where the source tells it. */
  missing: () => readonly Task[];
  news: News | undefined;
  /** Something is known that was not. */
  onNews: () => void;
}

/** Follows what a peer has until the session ends, or nothing is missing. It never rejects. */
export async function followAvailability(state: SourceState, source: FileSource, options: AvailabilityOptions): Promise<void> {
  const { clock, signal, queue, missing, news, onNews } = options;
  try {
    const held = await source.greet({ signal });
    const having = new Set<Task>();
    // One for all that it lacks: a trace for each was a tenth of the time of many small blocks.
    const lacking = new MossError('no-source', `${source.name} does not have it`);
    const tells = held.news && news !== undefined;
    const follow = (task: Task, tidings: Tidings): void => {
      if (signal.aborted || task.done) return;
      if (tidings !== 'here') news?.claim(task.name, tidings.weight, tidings.round);
      else if (!having.has(task)) enter(state, task, undefined, having, clock.now());
      onNews();
    };
    for (let pause = AGAIN, first = true; !signal.aborted && !state.out; first = false) {
      const open = (first && tells ? missing() : queue()).filter((task) => !having.has(task));
      if (open.length === 0 && !tells) return;
      const before = having.size;
      for (let at = 0; at < open.length; at += BATCH) {
        const batch = open.slice(at, at + BATCH);
        const here = await ask(source, held, batch, first && tells ? follow : undefined);
        for (const [i, task] of batch.entries()) enter(state, task, here[i] === true ? undefined : lacking, having, clock.now());
        onNews();
      }
      if (tells) pause = AGAIN_AT_MOST;
      else pause = having.size > before ? AGAIN : Math.min(AGAIN_AT_MOST, pause * 2);
      await clock.sleep(pause, { signal });
    }
  } catch {
    // Who does not say what it has is asked for it all the same, or is found dead by those who ask.
  }
}

function enter(state: SourceState, task: Task, lacking: MossError | undefined, having: Set<Task>, now: number): void {
  if (lacking !== undefined) {
    if (!task.tried.has(state)) task.tried.set(state, lacking);
    return;
  }
  having.add(task);
  task.holders++;
  if (task.tried.get(state)?.code !== 'no-source') return;
  // It had said no before, and has got it since.
  task.tried.delete(state);
  state.gainedAt = now;
}

/** Which of the tasks the source has something of. */
async function ask(source: FileSource, held: Held, tasks: readonly Task[], onTidings?: (task: Task, tidings: Tidings) => void): Promise<boolean[]> {
  const questions = tasks.map((task) => questionsAbout(task, held));
  const asked = questions.flatMap((each, i) => each.map(() => tasks[i]));
  const follow: HasOptions['follow'] = onTidings && ((index, tidings) => {
    const task = asked[index];
    if (task !== undefined) onTidings(task, tidings);
  });
  const answers = await source.has(questions.flat(), { follow });
  let at = 0;
  return questions.map(({ length }) => {
    at += length;
    return answers.slice(at - length, at).some((here) => here);
  });
}

/** The frame itself; and of its files the first and the last, since other versions of a package share most of them. */
function questionsAbout({ want, units }: Task, { frames, files }: Held): Wanted[] {
  const questions: Wanted[] = frames || !files || units.size === 0 ? [{ kind: 'block', cid: want.cid }] : [];
  if (!files) return questions;
  const list = [...units.values()];
  for (const unit of new Set([list[0], list.at(-1)])) {
    if (unit === undefined) continue;
    const cid = parseCid(unit.id);
    questions.push(unit.leaf === undefined ? { kind: 'block', cid } : { kind: 'leaf', file: cid, index: unit.leaf });
  }
  return questions;
}
