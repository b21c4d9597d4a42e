import { MossError } from '../error.ts';
import type { Blockstore } from '../ports/blockstore.ts';
import type { Clock } from '../ports/clock.ts';
import type { Link } from './stream.ts';
import type { BlockRequest, GetOptions, Source, SourceKind } from '../ports/source.ts';

/** Bytes that requests take turns with on a line. */
const SEGMENT = 16 * 1024;

export interface MemorySourceOptions {
  name: string;
  blocks: Blockstore;
  clock: Clock;
  kind?: SourceKind | undefined;
  concurrency?: number | undefined;
  /** Milliseconds until a block is there. */
  latency?: number | undefined;
  /** What the bytes go through; without it, they are there at once. */
  line?: Link | undefined;
  /** Changes what is answered, or throws; `undefined` for the block itself. */
  fault?: ((request: BlockRequest, times: number) => Uint8Array | undefined) | undefined;
}

/** A source whose blocks are in memory, with a delay and with faults of choice. */
export class MemorySource implements Source {
  readonly name: string;
  readonly kind: SourceKind;
  readonly concurrency: number;
  /** CIDs in the order in which they were asked for. */
  readonly asked: string[] = [];
  /** The most requests that were under way at once. */
  busiest = 0;
  #busy = 0;
  readonly #options: MemorySourceOptions;

  constructor(options: MemorySourceOptions) {
    this.name = options.name;
    this.kind = options.kind ?? 'webseed';
    this.concurrency = options.concurrency ?? 4;
    this.#options = options;
  }

  async get(request: BlockRequest, { signal, onBytes }: GetOptions = {}): Promise<Uint8Array> {
    const { blocks, clock, latency = 0, fault } = this.#options;
    const key = request.cid.toString();
    const times = this.asked.filter((each) => each === key).length;
    this.asked.push(key);
    this.#busy++;
    this.busiest = Math.max(this.busiest, this.#busy);
    try {
      await clock.sleep(latency, { signal });
      const bytes = fault?.(request, times) ?? (await blocks.get(request.cid, { signal }));
      if (bytes === undefined) throw new MossError('no-source', `${this.name} does not have ${key}`);
      if (bytes.length > request.maxBytes) throw new MossError('bad-block', `${this.name} sends too much for ${key}`);
      await this.#carry(bytes.length, { signal, onBytes });
      return bytes;
    } finally {
      this.#busy--;
    }
  }

  async #carry(bytes: number, { signal, onBytes }: GetOptions): Promise<void> {
    const { line, clock } = this.#options;
    if (line === undefined) {
      onBytes?.(bytes);
      return;
    }
    for (let at = 0; at < bytes; at += SEGMENT) {
      const segment = Math.min(SEGMENT, bytes - at);
      await clock.sleep(line.carry(segment, clock.now()) - clock.now(), { signal });
      onBytes?.(segment);
    }
  }
}
