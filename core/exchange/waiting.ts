/** Tasks that are not asked for before others were taken in. */
import type { Task } from './task.ts';

export class Waiting {
  /** By what they wait for. */
  readonly #followers = new Map<Task, Task[]>();
  /** How many they still wait for. */
  readonly #left = new Map<Task, number>();

  /** @param tasks all of a session; what none of them brings is not waited for */
  constructor(tasks: readonly Task[]) {
    const free = new Map(tasks.filter(({ want }) => want.after === undefined).map((task) => [task.want.cid.toString(), task]));
    for (const task of tasks) {
      const before = new Set((task.want.after ?? []).flatMap((cid) => free.get(cid.toString()) ?? []));
      if (before.size === 0) continue;
      this.#left.set(task, before.size);
      for (const each of before) {
        const some = this.#followers.get(each);
        if (some === undefined) this.#followers.set(each, [task]);
        else some.push(task);
      }
    }
  }

  /** Those that wait for nothing: first what others wait for, so that these come soon. */
  ready(tasks: readonly Task[]): Task[] {
    const free = tasks.filter((task) => !this.#left.has(task));
    const isAwaited = (task: Task): boolean => this.#followers.has(task);
    return [...free.filter(isAwaited), ...free.filter((task) => !isAwaited(task))];
  }

  /** Puts what waited for this one alone into a queue: spread over it, since many small ones in a row keep nobody busy. */
  release(done: Task, queue: Task[]): void {
    const freed = (this.#followers.get(done) ?? []).filter((task) => {
      const left = (this.#left.get(task) ?? 1) - 1;
      this.#left.set(task, left);
      return left === 0;
    });
    this.#followers.delete(done);
    const gap = queue.length / freed.length;
    for (const [i, task] of freed.entries()) queue.splice(Math.floor(i * gap) + i, 0, task);
  }
}
