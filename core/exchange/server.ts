/** Serves what is held to peers, over any stream: bounded in everything, and fair over those who ask. */
import { MossError } from '../error.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compressor } from '../ports/compressor.ts';
import type { Holdings } from '../ports/holdings.ts';
import type { Peer, Stream } from '../ports/transport.ts';
import { abortController } from './abort-controller.ts';
import type { DeltaMaker } from './delta-maker.ts';
import type { News } from './news.ts';
import { Pace } from './pace.ts';
import type { ServedRuns } from './served-runs.ts';
import { ServedStream } from './served-stream.ts';
import { Serial } from './serial.ts';
import { Turns } from './turns.ts';
import { UNLIMITED, type UploadLimits } from './upload.ts';
import { encodeMessage } from './wire/encode.ts';

export interface ServerLimits {
  /** Streams at the same time, in all and of one peer. */
  streams: number;
  streamsPerPeer: number;
  /** Items that wait for their answers: on one stream, and in all. */
  open: number;
  openInAll: number;
  /** Streams that read and send at the same time; the others wait for their turn. */
  turns: number;
  /** Bytes of answers that are held whole since they are compressed; beyond, answers are not compressed. */
  held: number;
  /** Milliseconds: for the hello, for a message to be complete, for a write to be taken, and without anything asked. */
  helloTimeout: number;
  stallTimeout: number;
  idleTimeout: number;
}

export const SERVER_LIMITS: ServerLimits = {
  streams: 256,
  streamsPerPeer: 8,
  open: 1024,
  openInAll: 8192,
  turns: 8,
  held: 32 * 1024 * 1024,
  helloTimeout: 10_000,
  stallTimeout: 15_000,
  idleTimeout: 300_000,
};

export interface ServerOptions {
  holdings: Holdings;
  clock: Clock;
  /** Without it, answers are not compressed. */
  compressor?: Compressor | undefined;
  limits?: Partial<ServerLimits> | undefined;
  upload?: UploadLimits | undefined;
  /** Makes deltas for those who ask; without it, or where the holdings have no ends of any, none are. */
  deltas?: DeltaMaker | undefined;
  /** Sends small files together; without it, or without a compressor, each goes by itself. */
  runs?: typeof ServedRuns | undefined;
  /** What is to be told of what comes and is claimed here; without it, who asks hears of what is here alone. */
  news?: News | undefined;
  /** Called for content that was sent, as it is sent. */
  onServed?: ((from: Omit<Peer, 'open'>, bytes: number) => void) | undefined;
  /** Called for a peer that broke the protocol, so that its carrier may end, too: it is not served for `LEAVE_OUT`. */
  onBroken?: ((from: Omit<Peer, 'open'>) => void) | undefined;
}

/** What the streams of a server share. */
export interface Shared {
  readonly options: ServerOptions;
  readonly limits: ServerLimits;
  readonly upload: UploadLimits;
  readonly turns: Turns;
  /** Where things are compressed for peers of the local network. */
  readonly near: Serial;
  /** Items that wait, and bytes that are held. */
  open: number;
  held: number;
}

/** Milliseconds after which a peer that was one too many may try again. */
const RETRY_AFTER = 5000;
/** Milliseconds for it to read that. */
const LINGER = 500;
/** Milliseconds for which a peer that broke the protocol is not served, and how many such peers are remembered. */
export const LEAVE_OUT = 30_000;
const REMEMBERED = 1024;

export class ExchangeServer {
  readonly #shared: Shared;
  readonly #streams = new Map<ServedStream, string>();
  /** Until when peers are not served, the oldest first: who floods again and again costs little. */
  readonly #leftOut = new Map<string, number>();

  constructor(options: ServerOptions) {
    const limits = { ...SERVER_LIMITS, ...options.limits };
    this.#shared = { options, limits, upload: options.upload ?? UNLIMITED, turns: new Turns(limits.turns), near: new Serial(), open: 0, held: 0 };
  }

  /** Streams that are served now. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Items that wait for an answer. */
  get open(): number {
    return this.#shared.open;
  }

  /** Serves one stream until it ends. It never rejects: what a peer does wrong ends its stream, and nothing else. */
  readonly handle = async (stream: Stream, from: Omit<Peer, 'open'>): Promise<void> => {
    if (this.#isFull(from.id) || this.#isLeftOut(from.id)) {
      await refuse(stream, this.#shared.options.clock);
      return;
    }
    const served = new ServedStream(stream, from, this.#shared, this.#paceOf(from.id));
    this.#streams.set(served, from.id);
    try {
      if (await served.run()) {
        this.#leaveOut(from.id);
        this.#shared.options.onBroken?.(from);
      }
    } finally {
      this.#streams.delete(served);
    }
  };

  /** Ends all streams. */
  close(reason?: unknown): void {
    for (const stream of this.#streams.keys()) stream.stop(reason);
  }

  #leaveOut(peer: string): void {
    this.#leftOut.delete(peer);
    this.#leftOut.set(peer, this.#shared.options.clock.now() + LEAVE_OUT);
    const [oldest] = this.#leftOut.keys();
    if (this.#leftOut.size > REMEMBERED && oldest !== undefined) this.#leftOut.delete(oldest);
    // Its other streams end as well.
    for (const [stream, id] of this.#streams) if (id === peer) stream.stop(new MossError('source-failed', 'the peer broke the protocol'));
  }

  #isLeftOut(peer: string): boolean {
    const until = this.#leftOut.get(peer);
    return until !== undefined && until > this.#shared.options.clock.now();
  }

  /** Of all streams that a peer has, since these share its line. */
  #paceOf(peer: string): Pace {
    for (const [stream, id] of this.#streams) if (id === peer) return stream.pace;
    return new Pace(this.#shared.options.clock);
  }

  #isFull(peer: string): boolean {
    const { limits } = this.#shared;
    if (this.#streams.size >= limits.streams) return true;
    let mine = 0;
    for (const id of this.#streams.values()) if (id === peer) mine++;
    return mine >= limits.streamsPerPeer;
  }
}

/** Says that the stream is one too many, and gives the other side a moment to read that and to go. */
async function refuse(stream: Stream, clock: Clock): Promise<void> {
  const over = abortController();
  try {
    stream.write(encodeMessage({ type: 'busy', retryAfter: RETRY_AFTER, numbers: [] })).catch(() => undefined);
    await Promise.race([leaving(stream), clock.sleep(LINGER, { signal: over.signal })]);
  } catch {
    // It is gone.
  } finally {
    over.abort();
    stream.abort();
  }
}

async function leaving(stream: Stream): Promise<void> {
  await stream.close();
  while ((await stream.read()) !== undefined);
}
