/** Bytes that may be under way at the same time: who wants more waits, in order. */
export class ByteBudget {
  readonly #most: number;
  #taken = 0;
  readonly #waiting: { bytes: number; resolve: () => void }[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether `take` would resolve at once. */
  hasRoom(bytes: number): boolean {
    return this.#waiting.length === 0 && (this.#taken === 0 || this.#taken + bytes <= this.#most);
  }

  /** Waits for room. What is larger than the budget gets it all. */
  take(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ bytes, resolve });
      this.#grant();
    });
  }

  give(bytes: number): void {
    this.#taken -= bytes;
    this.#grant();
  }

  #grant(): void {
    for (;;) {
      const first = this.#waiting[0];
      if (first === undefined || (this.#taken > 0 && this.#taken + first.bytes > this.#most)) return;
      this.#waiting.shift();
      this.#taken += first.bytes;
      first.resolve();
    }
  }
}
