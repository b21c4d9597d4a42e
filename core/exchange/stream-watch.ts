/** Ends the stream of a peer that does not move. */
import { MossError } from '../error.ts';
import type { AbortSignal } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { ServerLimits } from './server.ts';

/** Milliseconds between two looks. */
const INTERVAL = 1000;

export interface Watched {
  signal: AbortSignal;
  /** Whether the peer has said hello, and whether nothing is open that it asked for. */
  isGreeted: () => boolean;
  isIdle: () => boolean;
}

export class StreamWatch {
  readonly #clock: Clock;
  /** Milliseconds on the clock: since when a message is incomplete, a write waits, and nothing was asked. */
  readonly #started: number;
  #partialSince: number | undefined;
  #writingSince: number | undefined;
  #asked: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#started = clock.now();
    this.#asked = this.#started;
  }

  /** Something came. @param isWhole whether no message is incomplete: one that does not get whole keeps the time of its beginning */
  read(isWhole: boolean): void {
    this.#partialSince = isWhole ? undefined : (this.#partialSince ?? this.#clock.now());
  }

  asked(): void {
    this.#asked = this.#clock.now();
  }

  writes(): void {
    this.#writingSince = this.#clock.now();
  }

  wrote(): void {
    this.#writingSince = undefined;
  }

  /** Watches until the signal is aborted. @throws MossError `source-failed` when the peer is too slow */
  async run({ helloTimeout, stallTimeout, idleTimeout }: ServerLimits, { signal, isGreeted, isIdle }: Watched): Promise<never> {
    const passed = (since: number | undefined, ms: number): boolean => since !== undefined && this.#clock.now() - since > ms;
    for (;;) {
      await this.#clock.sleep(INTERVAL, { signal });
      if (!isGreeted() && passed(this.#started, helloTimeout)) throw slow('says no hello');
      if (passed(this.#partialSince, stallTimeout)) throw slow('does not finish a message');
      if (passed(this.#writingSince, stallTimeout)) throw slow('does not read');
      if (isIdle() && passed(this.#asked, idleTimeout)) throw slow('asks for nothing');
    }
  }
}

function slow(what: string): MossError {
  return new MossError('source-failed', `the peer ${what}`);
}
