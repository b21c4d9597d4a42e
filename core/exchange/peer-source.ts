/** A peer as a source: a few long-lived streams, with many wants under way on each. */
import type { Cid } from '../dag/cid.ts';
import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compressor } from '../ports/compressor.ts';
import type { Wanted } from '../ports/holdings.ts';
import type { BlockRequest, DeltaRequest, FileSource, GetOptions, HasOptions, Held, SourceKind } from '../ports/source.ts';
import type { Peer } from '../ports/transport.ts';
import { abortController } from './abort-controller.ts';
import { abortable } from './abortable.ts';
import { AskStream } from './ask-stream.ts';
import type { Ask } from './incoming.ts';
import type { IncomingRuns } from './incoming-runs.ts';
import type { RateLimit } from './token-bucket.ts';

export interface PeerSourceOptions {
  peer: Peer;
  clock: Clock;
  compressor?: Compressor | undefined;
  /** Reads runs of small files; without it, or without a compressor, none come. */
  runs?: typeof IncomingRuns | undefined;
  /** Streams at the same time: more than two gain nothing over one connection. */
  streams?: number | undefined;
  /** What the ledger calls it, where it is neither of the peer's scope. */
  kind?: SourceKind | undefined;
  stallTimeout?: number | undefined;
  /** How fast bytes may come from beyond the local network: for all such peers together. */
  rate?: RateLimit | undefined;
}

/** Requests under way: the window of the session is what bounds the bytes. */
const CONCURRENCY = 512;

export class PeerSource implements FileSource {
  readonly name: string;
  readonly kind: SourceKind;
  readonly concurrency = CONCURRENCY;
  readonly peer: Peer;
  readonly #options: PeerSourceOptions;
  #streams: AskStream[] = [];
  #opening: Promise<AskStream> | undefined;
  readonly #over = abortController();

  constructor(options: PeerSourceOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.name = options.peer.id;
    this.kind = options.kind ?? options.peer.scope;
  }

  get holds(): Held | undefined {
    return this.#streams.find(({ hello }) => hello !== undefined)?.hello;
  }

  async greet(options: AbortOptions = {}): Promise<Held> {
    return abortable((await this.#stream(options)).greeting, options.signal);
  }

  get({ cid, maxBytes }: BlockRequest, options?: GetOptions): Promise<Uint8Array> {
    return this.ask({ wanted: { kind: 'block', cid }, maxBytes }, options);
  }

  getLinks(file: Cid, leaves: number, options?: GetOptions): Promise<Uint8Array> {
    return this.ask({ wanted: { kind: 'links', file }, maxBytes: 32 * leaves }, options);
  }

  getLeaf(file: Cid, index: number, bytes: number, options?: GetOptions): Promise<Uint8Array> {
    return this.ask({ wanted: { kind: 'leaf', file, index }, maxBytes: bytes }, options);
  }

  getDelta({ file, base, unpacked, bytes }: DeltaRequest, options?: GetOptions): Promise<Uint8Array> {
    return this.ask({ wanted: { kind: 'delta', file, unpacked }, base, maxBytes: bytes }, options);
  }

  async ask(ask: Ask, options: GetOptions = {}): Promise<Uint8Array> {
    const stream = await this.#stream(options);
    options.signal?.throwIfAborted();
    return stream.get(ask, options);
  }

  async has(wanted: readonly Wanted[], options: HasOptions = {}): Promise<boolean[]> {
    return abortable((await this.#stream(options)).has(wanted, options.follow), options.signal);
  }

  /** Ends all streams, and those that are being opened. */
  close(): void {
    // No `aborted`: whoever asks it meanwhile goes on with others.
    this.#over.abort(new MossError('source-failed', 'the peer is no longer asked'));
    for (const stream of this.#streams.splice(0)) stream.close();
  }

  /** The stream with least to do; a further one is opened when all have something. */
  async #stream({ signal }: AbortOptions = {}): Promise<AskStream> {
    this.#streams = this.#streams.filter((stream) => !stream.over);
    const best = this.#streams.toSorted((a, b) => a.open - b.open)[0];
    const most = this.#options.streams ?? 1;
    if (best !== undefined && (best.open === 0 || this.#streams.length >= most)) return best;
    if (best !== undefined) {
      // Nobody waits for one more.
      if (this.#opening === undefined) this.#open().catch(() => undefined);
      return best;
    }
    return abortable(this.#opening ?? this.#open(), signal);
  }

  /** Not ended by one caller's signal: others wait for it too, and the carrier has a deadline. */
  #open(): Promise<AskStream> {
    const { peer, clock, compressor, runs, stallTimeout } = this.#options;
    const rate = peer.scope === 'lan' ? undefined : this.#options.rate;
    const opening = peer
      .open({ signal: this.#over.signal })
      .then((stream) => {
        const asking = new AskStream(stream, { clock, compressor, runs, stallTimeout, rate });
        this.#streams.push(asking);
        // What was under way when this was closed.
        if (this.#over.signal.aborted) this.close();
        return asking;
      })
      .finally(() => {
        this.#opening = undefined;
      });
    this.#opening = opening;
    return opening;
  }
}
