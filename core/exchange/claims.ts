/** What a session tells those who fetch the same: what it brings from the floor, and what came. */
import type { Attempt } from './attempt.ts';
import { ROUND, type News } from './news.ts';
import { claimOf } from './share-out.ts';
import type { Task } from './task.ts';

export class Claims {
  readonly #news: News | undefined;
  readonly #self: number | undefined;

  /** @param self the seed that others know this one by */
  constructor(news: News | undefined, self: number | undefined) {
    this.#news = news;
    this.#self = self;
  }

  begin({ task, source }: Attempt, round = 0): void {
    if (source.kind === 'floor' && this.#self !== undefined) this.#news?.claim(task.name, claimOf(task, this.#self), round);
  }

  /** What is still coming is still claimed. */
  renew(attempts: Iterable<Attempt>, now: number): void {
    for (const attempt of attempts) {
      const { claim } = attempt.task;
      if (claim !== undefined && now - claim.heardAt >= ROUND) this.begin(attempt, claim.round + 1);
    }
  }

  arrived({ name }: Task): void {
    this.#news?.arrived(name);
    this.#news?.forget(name);
  }

  /** Nobody here wants these any more. */
  end(tasks: Iterable<Task>): void {
    for (const { name } of tasks) this.#news?.forget(name);
  }
}
