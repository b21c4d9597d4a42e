import type { Speed } from '../../core/install/cost.ts';
import type { BlockRequest, GetOptions, Source, SourceKind } from '../../core/ports/source.ts';

/** Requests that are remembered, and those that make a measurement. */
const WINDOW = 256;
const ENOUGH = 3;
/** Bytes from which on a request tells of the rate rather than of the latency. */
const LARGE = 16 * 1024;

/** A source that remembers how quick it was. */
export class MeteredSource implements Source {
  readonly name: string;
  readonly kind: SourceKind;
  readonly concurrency: number;
  readonly #source: Source;
  readonly #durations: number[] = [];
  /** The best of a single request, in bytes a second: others waited for this machine, not for the source. */
  #rate = 0;

  constructor(source: Source) {
    this.#source = source;
    ({ name: this.name, kind: this.kind, concurrency: this.concurrency } = source);
  }

  async get(request: BlockRequest, options?: GetOptions): Promise<Uint8Array> {
    const start = performance.now();
    const bytes = await this.#source.get(request, options);
    const duration = Math.max(0.01, performance.now() - start);
    this.#durations.push(duration);
    if (this.#durations.length > WINDOW) this.#durations.shift();
    if (bytes.length >= LARGE || this.#rate === 0) this.#rate = Math.max(this.#rate, (bytes.length / duration) * 1000);
    return bytes;
  }

  /** What was seen so far; `undefined` before there is enough to tell. */
  get speed(): Speed | undefined {
    const sorted = this.#durations.toSorted((a, b) => a - b);
    // Of the quick ones: what takes longer had to wait for others, which is this machine's doing.
    const latency = sorted[Math.floor(sorted.length / 10)];
    if (latency === undefined || sorted.length < ENOUGH) return undefined;
    return { latency, rate: this.#rate, concurrency: this.concurrency };
  }
}
