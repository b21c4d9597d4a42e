/** Streams between two ends in memory, over links with a rate and a delay: what a carrier is in a simulation. */
import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { Peer, PeerScope, Stream, StreamHandler } from '../ports/transport.ts';

/** Bytes that one write is cut to, so that streams share a link. */
const SEGMENT = 16 * 1024;

/** A line that bytes go through one after the other, whoever sent them. */
export class Link {
  /** Bytes that went through. */
  carried = 0;
  readonly #rate: number;
  #free = 0;

  /** @param rate bytes a second */
  constructor(rate: number = Infinity) {
    this.#rate = rate;
  }

  /** When `bytes` that arrive at the line at `at` have left it, in milliseconds. */
  carry(bytes: number, at: number): number {
    this.carried += bytes;
    this.#free = Math.max(at, this.#free) + (bytes / this.#rate) * 1000;
    return this.#free;
  }
}

export interface WireOptions {
  clock: Clock;
  /** Milliseconds from one end to the other. */
  latency?: number | undefined;
  /** Lines that the bytes of the first end go through, and those of the second. */
  forth?: readonly Link[] | undefined;
  back?: readonly Link[] | undefined;
  /** Bytes under way in one direction, at most: a write waits while there are more. */
  window?: number | undefined;
}

/** One direction. */
class Pipe {
  readonly #options: { clock: Clock; latency: number; links: readonly Link[]; window: number };
  readonly #segments: { bytes: Uint8Array; at: number }[] = [];
  #underWay = 0;
  #ended = false;
  #failure: { reason: unknown } | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: { clock: Clock; latency: number; links: readonly Link[]; window: number }) {
    this.#options = options;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { clock, latency, links, window } = this.#options;
    for (let start = 0; start < bytes.length; start += SEGMENT) {
      const segment = bytes.slice(start, start + SEGMENT);
      while (this.#underWay > 0 && this.#underWay + segment.length > window && this.#failure === undefined) await this.#change();
      if (this.#failure !== undefined) throw this.#failure.reason;
      if (this.#ended) throw new MossError('source-failed', 'the stream was closed');
      this.#underWay += segment.length;
      const at = links.reduce((time, link) => link.carry(segment.length, time), clock.now()) + latency;
      this.#segments.push({ bytes: segment, at });
      this.#wake();
    }
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.reason;
      const first = this.#segments[0];
      if (first === undefined) {
        if (this.#ended) return undefined;
        await this.#change();
      } else if (first.at > this.#options.clock.now()) await this.#options.clock.sleep(first.at - this.#options.clock.now());
      else {
        this.#segments.shift();
        this.#underWay -= first.bytes.length;
        this.#wake();
        return first.bytes;
      }
    }
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#segments.length = 0;
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** The two ends of a stream. */
export function memoryStreams({ clock, latency = 0, forth = [], back = [], window = 256 * 1024 }: WireOptions): [Stream, Stream] {
  const there = new Pipe({ clock, latency, links: forth, window });
  const here = new Pipe({ clock, latency, links: back, window });
  return [end(there, here), end(here, there)];
}

function end(out: Pipe, into: Pipe): Stream {
  return {
    read: ({ signal }: AbortOptions = {}) => {
      signal?.throwIfAborted();
      return into.read();
    },
    write: (bytes, { signal } = {}) => {
      signal?.throwIfAborted();
      return out.write(bytes);
    },
    close: async () => out.end(),
    abort: (reason = new MossError('source-failed', 'the stream was reset')) => {
      out.fail(reason);
      into.fail(reason);
    },
  };
}

export interface MemoryPeerOptions extends WireOptions {
  id: string;
  scope?: PeerScope | undefined;
  /** Who takes the streams that are opened to this peer; a rejection resets them. */
  handler: StreamHandler;
  /** What the peer sees of who opens. */
  from?: string | undefined;
}

/** A peer whose streams are in memory. */
export class MemoryPeer implements Peer {
  readonly id: string;
  readonly scope: PeerScope;
  readonly transport = 'memory';
  /** Streams that were opened to it. */
  opened = 0;
  readonly #options: MemoryPeerOptions;
  readonly #streams = new Set<Stream>();
  #gone = false;

  constructor(options: MemoryPeerOptions) {
    this.id = options.id;
    this.scope = options.scope ?? 'lan';
    this.#options = options;
  }

  async open({ signal }: AbortOptions = {}): Promise<Stream> {
    const { clock, latency = 0, handler, from = 'asker' } = this.#options;
    await clock.sleep(2 * latency, { signal });
    if (this.#gone) throw new MossError('source-failed', `${this.id} cannot be reached`);
    const [mine, theirs] = memoryStreams(this.#options);
    this.opened++;
    this.#streams.add(mine);
    handler(theirs, { id: from, scope: this.scope, transport: this.transport }).catch((error: unknown) => theirs.abort(error));
    return mine;
  }

  /** Its connection breaks: all streams, and a new one may be opened. */
  disconnect(): void {
    for (const stream of this.#streams) stream.abort(new MossError('source-failed', `the connection to ${this.id} broke`));
  }

  /** The peer vanishes: its streams break, and it takes no more. */
  vanish(): void {
    this.#gone = true;
    this.disconnect();
  }
}
