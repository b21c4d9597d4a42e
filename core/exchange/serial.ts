/** What is done or waits for it, at most, for those who ask first. */
const MOST = 3;

/**
 * Does one thing at a time, so that who works at the machine keeps its other cores. Those who would have to wait for long had
 * better do without (`isFree`).
 */
export class Serial {
  #open = 0;
  #last: Promise<unknown> = Promise.resolve();

  get isFree(): boolean {
    return this.#open < MOST;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#open++;
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    try {
      return await done;
    } finally {
      this.#open--;
    }
  }
}
