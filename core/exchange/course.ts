/** The course of a session, kept up to date as things happen: the scheduler reads it as it is, and nothing is made for it. */
import type { Clock } from '../ports/clock.ts';
import type { Attempt } from './attempt.ts';
import { addDuration, addToRate, NO_DURATIONS, NO_RATE } from './estimate.ts';
import type { Situation } from './situation.ts';
import type { SourceState } from './source-state.ts';
import type { Task } from './task.ts';

export interface CourseOptions {
  clock: Clock;
  /** Whether sources may yet be found. */
  expecting: boolean;
  self: number | undefined;
}

export class Course implements Situation {
  readonly #clock: Clock;
  readonly startedAt: number;
  readonly expecting: boolean;
  readonly self: number | undefined;
  readonly sources: SourceState[] = [];
  readonly queue: Task[];
  /** Those that may still bring something. */
  readonly attempts = new Set<Attempt>();
  readonly total: number;
  wasted = 0;
  durations = NO_DURATIONS;
  accepted = NO_RATE;
  acceptedAt: number;
  now: number;
  /** Bytes of tasks that were not taken in. */
  #missing: number;
  #left: number | undefined;

  /** @param queue those of the tasks that wait for nothing */
  constructor(tasks: readonly Task[], queue: Task[], { clock, expecting, self }: CourseOptions) {
    this.#clock = clock;
    this.expecting = expecting;
    this.self = self;
    this.queue = queue;
    this.total = tasks.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#missing = this.total;
    this.startedAt = this.acceptedAt = this.now = clock.now();
  }

  /** As things are now, for some decisions. */
  look(): this {
    this.now = this.#clock.now();
    this.#left = undefined;
    return this;
  }

  /** Counted when it is asked for, which it rarely is: it was a third of the time of many small blocks (measured). */
  get left(): number {
    return (this.#left ??= this.#missing - this.#underWay());
  }

  begin(attempt: Attempt): void {
    const at = this.queue.indexOf(attempt.task);
    if (at !== -1) this.queue.splice(at, 1);
    this.attempts.add(attempt);
  }

  /** It brought all that it could. */
  complete({ duration, task }: Attempt): void {
    if (duration > 0) this.durations = addDuration(this.durations, task.bytes, duration);
  }

  /** Counts what was taken in of a task, and how fast. @returns whether it was something */
  count(task: Task): boolean {
    const { left } = task;
    const came = task.counted - left;
    if (came === 0) return false;
    task.counted = left;
    this.#missing -= came;
    const now = this.#clock.now();
    this.accepted = addToRate(this.accepted, came, now - this.acceptedAt);
    this.acceptedAt = now;
    return true;
  }

  /** It does not come any more. */
  drop(task: Task): void {
    const at = this.queue.indexOf(task);
    if (at !== -1) this.queue.splice(at, 1);
    this.#missing -= task.counted;
    task.counted = 0;
    task.done = true;
  }

  /** What nobody is asked for, and what only the floor is: a peer may have it by now, and be quicker. */
  unsure(): Task[] {
    const slow = [...this.attempts].filter(({ task, source }) => source.kind === 'floor' && task.attempts.size === 1);
    return [...this.queue, ...slow.map(({ task }) => task)];
  }

  /** What has come of tasks that are not done. */
  #underWay(): number {
    const came = new Map<Task, number>();
    for (const { task, progress } of this.attempts) came.set(task, Math.max(progress, came.get(task) ?? 0));
    let sum = 0;
    for (const bytes of came.values()) sum += bytes;
    return sum;
  }
}
