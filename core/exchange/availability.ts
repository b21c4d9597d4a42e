/** What peers have of a session's tasks: asked for ahead, so that nobody is asked for what it lacks, and the rarest comes first. */
import { parseCid } from '../dag/cid.ts';
import { MossError } from '../error.ts';
import type { AbortSignal } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { Wanted } from '../ports/holdings.ts';
import type { FileSource, Held } from '../ports/source.ts';
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
  /** Something is known that was not. */
  onNews: () => void;
}

/** Follows what a peer has until the session ends, or nothing is missing. It never rejects. */
export async function followAvailability(state: SourceState, source: FileSource, options: AvailabilityOptions): Promise<void> {
  const { clock, signal, queue, onNews } = options;
  try {
    const held = await source.greet({ signal });
    const having = new Set<Task>();
    for (let pause = AGAIN; !signal.aborted && !state.out; ) {
      const open = queue().filter((task) => !having.has(task));
      if (open.length === 0) return;
      const before = having.size;
      for (let at = 0; at < open.length; at += BATCH) {
        const batch = open.slice(at, at + BATCH);
        const here = await ask(source, held, batch);
        for (const [i, task] of batch.entries()) enter(state, task, here[i] === true, having, clock.now());
        onNews();
      }
      pause = having.size > before ? AGAIN : Math.min(AGAIN_AT_MOST, pause * 2);
      await clock.sleep(pause, { signal });
    }
  } catch {
    // Who does not say what it has is asked for it all the same, or is found dead by those who ask.
  }
}

function enter(state: SourceState, task: Task, here: boolean, having: Set<Task>, now: number): void {
  if (!here) {
    if (!task.tried.has(state)) task.tried.set(state, new MossError('no-source', `${state.source.name} does not have it`));
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
async function ask(source: FileSource, held: Held, tasks: readonly Task[]): Promise<boolean[]> {
  const questions = tasks.map((task) => questionsAbout(task, held));
  const answers = await source.has(questions.flat());
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
