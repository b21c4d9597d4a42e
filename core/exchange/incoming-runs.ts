/**
 * Runs on their way in: several answers as one (`wire/run.ts`). Who passes this to its `PeerSource` says in its hello that it
 * reads them; others do not carry it.
 */
import type { Compressor } from '../ports/compressor.ts';
import { Incoming } from './incoming.ts';
import { badMessage, MAX_ANSWER, type Data } from './wire/message.ts';
import { decodeRun, runOverhead, type RunEntry } from './wire/run.ts';

/** Runs on their way at the same time: a server sends two or three answers by turns. */
const MOST_UNDER_WAY = 4;

export class IncomingRuns {
  readonly #compressor: Compressor;
  /** By the first of their numbers: those that are on their way. */
  readonly #underWay = new Map<number, Incoming>();
  /** Bytes that these unpack to, and those that are being unpacked. */
  #claimed = 0;

  constructor(compressor: Compressor) {
    this.#compressor = compressor;
  }

  /**
   * Takes the next bytes of a run.
   *
   * @param most bytes of content, and of what a run says of it, that may come in all runs together: so a run of lies is cheap
   * @returns its answers once its bytes are here; that rejects with `bad-block` when they cannot be unpacked, and with
   *   `bad-message` when they are no run
   * @throws MossError `bad-message` when they are not what may come
   */
  take(data: Data, most: () => number): Promise<RunEntry[]> | undefined {
    const run = this.#underWay.get(data.number) ?? this.#begin(data, most());
    if (!run.take(data)) return undefined;
    this.#underWay.delete(data.number);
    return this.#unpack(run, data.plain);
  }

  #begin({ number, plain }: Data, most: number): Incoming {
    if (this.#underWay.size >= MOST_UNDER_WAY) throw badMessage(`more than ${MOST_UNDER_WAY} runs at the same time`);
    if (plain < runOverhead(1)) throw badMessage('a run of nothing');
    const run = new Incoming({ wanted: 'run', maxBytes: Math.min(MAX_ANSWER, runOverhead(0) + most - this.#claimed) }, this.#compressor);
    this.#underWay.set(number, run);
    this.#claimed += plain - runOverhead(0);
    return run;
  }

  /** While it is unpacked, it is claimed: who sends many that unpack to much has them in memory no more than who sends few. */
  async #unpack(run: Incoming, plain: number): Promise<RunEntry[]> {
    try {
      return decodeRun(await run.content());
    } finally {
      this.#claimed -= plain - runOverhead(0);
    }
  }
}
