/** One stream of a peer that asks: reads its wants, and sends the answers as turns come. */
import { parseCid } from '../dag/cid.ts';
import { MossError } from '../error.ts';
import type { Compressor } from '../ports/compressor.ts';
import type { Peer, Stream } from '../ports/transport.ts';
import { abortController } from './abort-controller.ts';
import { Answers, unlessLost, type Answer } from './answers.ts';
import type { Pace } from './pace.ts';
import type { ServedDeltas } from './served-deltas.ts';
import { deltaOf, ServedItems, waiting } from './served-items.ts';
import { ServedNews } from './served-news.ts';
import type { Found, ServedRuns } from './served-runs.ts';
import type { Shared } from './server.ts';
import { StreamWatch } from './stream-watch.ts';
import { TurnBuffer } from './turn-buffer.ts';
import { Decoder, FROM_ASKER } from './wire/decode.ts';
import { encodeMessage } from './wire/encode.ts';
import { badMessage, MAX_ANSWER, MAX_ITEMS, VERSION, type Hello, type Message } from './wire/message.ts';

/** Answers that are sent by turns: a small one need not wait for a large one, and a liar has little under way. */
const MOST_ACTIVE = 2;
const RETRY_AFTER = 1000;
/** Bytes that looking an item up counts for in a turn, found or not: else who asks for nothing but what is not there would always be next. */
const LOOK_UP = 64;

export class ServedStream {
  readonly pace: Pace;
  readonly #stream: Stream;
  readonly #from: Omit<Peer, 'open'>;
  readonly #shared: Shared;
  readonly #stop = abortController();
  #hello: Hello | undefined;
  /** Answers that are being sent. */
  #active: Answer[] = [];
  /** Items that were looked up in this turn. */
  #lookedUp = 0;
  /** The peer will not ask for more. */
  #ended = false;
  #wake: (() => void) | undefined;
  readonly #items: ServedItems;
  readonly #answers: Answers;
  readonly #runs: ServedRuns | undefined;
  readonly #deltas: ServedDeltas | undefined;
  readonly #news: ServedNews | undefined;
  readonly #watch: StreamWatch;

  constructor(stream: Stream, from: Omit<Peer, 'open'>, shared: Shared, pace: Pace) {
    this.pace = pace;
    this.#stream = stream;
    this.#from = from;
    this.#shared = shared;
    const { signal } = this.#stop;
    const compressor = (): Compressor | undefined => this.#compressor;
    this.#items = new ServedItems({ shared, scope: from.scope, signal });
    this.#answers = new Answers({ shared, compressor, signal });
    const { runs: Runs, news } = shared.options;
    this.#runs = Runs && new Runs({ shared, scope: from.scope, compressor, signal, items: this.#items, answers: this.#answers });
    this.#deltas = shared.options.deltas?.serve({ shared, peer: from.id, onMade: () => this.#notify() });
    this.#news = news && new ServedNews({ signal, news, clock: shared.options.clock, onArrived: (number, block) => this.#lookAgain(number, block), onClaim: () => this.#notify() });
    this.#watch = new StreamWatch(shared.options.clock);
  }

  /** Serves until the end. @returns whether the peer broke the protocol */
  async run(): Promise<boolean> {
    const work = Promise.all([this.#read(), this.#send()]);
    const watching = this.#watch.run(this.#shared.limits, {
      signal: this.#stop.signal,
      isGreeted: () => this.#hello !== undefined,
      isIdle: () => this.#items.size === 0 && this.#active.length === 0 && this.#openDeltas === 0,
    });
    watching.catch(() => undefined);
    try {
      await Promise.race([work, watching]);
      await this.#stream.close();
      return false;
    } catch (error) {
      this.stop(error);
      return error instanceof MossError && error.code === 'bad-message';
    } finally {
      this.stop();
      await work.catch(() => undefined);
      this.#forget();
    }
  }

  stop(reason?: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(reason ?? new MossError('aborted', 'the stream was ended'));
    if (reason !== undefined) this.#stream.abort(reason);
    this.#notify();
  }

  async #read(): Promise<void> {
    const decoder = new Decoder(FROM_ASKER);
    for (;;) {
      const chunk = await this.#stream.read();
      if (chunk === undefined) break;
      for (const message of decoder.push(chunk)) this.#take(message);
      this.#watch.read(decoder.atEnd);
      this.#notify();
    }
    if (!decoder.atEnd) throw badMessage('a stream that ends within a message');
    this.#ended = true;
    this.#notify();
  }

  #take(message: Message): void {
    if (this.#hello === undefined) {
      if (message.type !== 'hello') throw badMessage(`${message.type} before hello`);
      this.#hello = message;
      return;
    }
    if (message.type === 'want' || message.type === 'query') {
      this.#watch.asked();
      const { dictionary, base } = message.type === 'want' ? message : {};
      const query = message.type === 'query';
      const follow = message.type === 'query' && message.follow === true;
      for (const item of message.items) {
        if (!this.#items.admits(item.number, this.#active.length + this.#openDeltas)) continue;
        if (base === undefined) this.#items.add(waiting(item, { query, follow, dictionary }));
        else if (this.#deltas === undefined) throw badMessage('a delta of who makes none');
        else this.#deltas.add({ ...item, wanted: deltaOf(item), base });
      }
    } else if (message.type === 'cancel') for (const number of message.numbers) this.#cancel(number);
    else throw badMessage(`${message.type} once more`);
  }

  /** Something came that was asked about: whether it is served is found out like that of anything. */
  #lookAgain(number: number, block: string): void {
    this.#items.add({ number, wanted: { kind: 'block', cid: parseCid(block) }, maxBytes: MAX_ANSWER, query: true, follow: true, dictionary: undefined });
    this.#notify();
  }

  #cancel(number: number): void {
    this.#items.cancel(number);
    this.#deltas?.cancel(number);
    // Others are in a run, too.
    const answer = this.#active.find((each) => each.number === number && each.encoding !== 'zstd run');
    if (answer !== undefined) this.#end(answer);
  }

  async #send(): Promise<void> {
    const { turns, upload, options } = this.#shared;
    // The next bytes are read while the last ones are on their way.
    let writing = this.#write(encodeMessage({ type: 'hello', version: VERSION, ...this.#holds(), zstd: false, runs: false, maxOpen: this.#shared.limits.open }));
    writing.catch(() => undefined);
    let spare: TurnBuffer | undefined;
    let sent: TurnBuffer | undefined;
    for (;;) {
      while (this.#items.size === 0 && this.#active.length === 0 && !this.#items.hasRefused && this.#deltas?.isReady !== true && this.#news?.isWaiting !== true) {
        if (this.#ended && this.#openDeltas === 0) return writing;
        // Who asks for nothing has no memory here.
        spare = sent = undefined;
        await this.#change();
        this.#stop.signal.throwIfAborted();
      }
      // What is told of others is no content, and waits for nobody's turn.
      if (this.#news?.isWaiting === true) {
        const tidings = this.#news.take();
        await writing;
        writing = this.#write(encodeMessage({ type: 'soon', tidings }));
        writing.catch(() => undefined);
        continue;
      }
      const turn = await turns.take(this.#from.id);
      let content = 0;
      this.#lookedUp = 0;
      const buffer = spare ?? new TurnBuffer();
      buffer.clear();
      try {
        this.#stop.signal.throwIfAborted();
        content = await this.#fill(buffer);
        if (content > 0) await upload.take(this.#from.scope, content, { signal: this.#stop.signal });
      } finally {
        turn.end(content + LOOK_UP * this.#lookedUp);
      }
      await writing;
      spare = buffer;
      if (buffer.bytes.length > 0) {
        writing = this.#write(buffer.bytes);
        writing.catch(() => undefined);
        // The one that was sent last is free again, if the carrier gives it back.
        spare = this.#stream.lend === undefined ? undefined : sent;
        sent = buffer;
      }
      if (content === 0) continue;
      this.pace.sent(content);
      options.onServed?.(this.#from, content);
    }
  }

  /** On a local network, compressing takes longer than sending, unless the line is slow. */
  get #compressor(): Compressor | undefined {
    const { near, options: { compressor } } = this.#shared;
    if (this.#from.scope !== 'lan' || compressor === undefined) return compressor;
    return this.pace.isSlow && near.isFree ? this.pace.measured(compressor, near) : undefined;
  }

  get #openDeltas(): number {
    return this.#deltas?.open ?? 0;
  }

  #holds(): Pick<Hello, 'frames' | 'files' | 'deltas' | 'news' | 'repositories'> {
    const { frames, files, repositories } = this.#shared.options.holdings;
    return { frames, files, deltas: this.#deltas?.isServed === true, news: this.#news !== undefined, repositories: [...repositories] };
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#watch.writes();
    await (this.#stream.lend?.(bytes) ?? this.#stream.write(bytes));
    this.#watch.wrote();
  }

  /** About one piece's worth of answers. What is not held takes its turn like what is. @returns bytes of content */
  async #fill(buffer: TurnBuffer): Promise<number> {
    const miss: number[] = [];
    const have: number[] = [];
    let content = 0;
    while (buffer.room > 0 && miss.length + have.length < MAX_ITEMS) {
      if (this.#active.length < MOST_ACTIVE) {
        if (this.#deltas?.isReady === true) {
          this.#takeDelta(miss);
          continue;
        }
        if (this.#items.size > 0) {
          await this.#begin(miss, have);
          continue;
        }
      }
      const answer = this.#active[0];
      if (answer === undefined) break;
      const bytes = await this.#readPiece(answer, buffer);
      if (bytes === undefined) miss.push(answer.number);
      else if (!answer.over) {
        const { number, encoding, plain, length, at } = answer;
        buffer.addPiece({ number, encoding, plain, length, at, bytes });
        content += bytes.length;
        answer.at += bytes.length;
        this.#active.push(...this.#active.splice(0, 1));
      }
      if (bytes === undefined || answer.at >= answer.length) this.#end(answer);
    }
    const refused = this.#items.takeRefused();
    // After the pieces: what is missing may have been found damaged after its first ones.
    if (miss.length > 0) buffer.addMessage({ type: 'miss', numbers: miss });
    if (have.length > 0) buffer.addMessage({ type: 'have', numbers: have });
    if (refused.length > 0) buffer.addMessage({ type: 'busy', retryAfter: RETRY_AFTER, numbers: refused });
    return content;
  }

  /** A piece; `undefined` when the content is not there any more, although it was listed. */
  async #readPiece({ length, at, read }: Answer, buffer: TurnBuffer): Promise<Uint8Array | undefined> {
    const wanted = Math.min(length - at, buffer.room);
    const bytes = await unlessLost(() => read(at, wanted, buffer.place(wanted)));
    return bytes?.length === wanted ? bytes : undefined;
  }

  /** Takes over a delta that was made, or was not. */
  #takeDelta(miss: number[]): void {
    const made = this.#deltas?.take();
    if (made === undefined) return;
    const { number, plain, delta } = made;
    if (delta.kind === 'none') miss.push(number);
    else if (delta.kind === 'busy' || !this.#shared.upload.allows(this.#from.scope)) this.#items.refuse(number);
    else this.#active.push(this.#answers.ofBytes(number, delta.bytes, { encoding: 'zstd+base', plain }));
  }

  /** Looks the next item up, and those that go with it. */
  async #begin(miss: number[], have: number[]): Promise<void> {
    const item = this.#items.next;
    this.#lookedUp++;
    const content = item && (await this.#items.lookUp(item, miss));
    if (item?.follow === true && content === undefined) this.#news?.follow(item);
    if (item === undefined || content === undefined) return;
    const found = { item, content };
    if (item.query) have.push(item.number);
    else if (this.#hello?.runs === true && this.#runs?.begins(item, content) === true) await this.#answerTogether(found, this.#runs, miss);
    else await this.#answer(found, miss);
  }

  async #answer({ item: { number, dictionary }, content }: Found, miss: number[]): Promise<void> {
    this.#items.start(number);
    const answer = await unlessLost(() => this.#answers.make(number, content, { zstd: this.#hello?.zstd === true, dictionary }));
    const isWanted = this.#items.finish(number);
    if (answer === undefined) miss.push(number);
    else if (isWanted) this.#active.push(answer);
    else this.#answers.end(answer);
  }

  async #answerTogether(first: Found, runs: ServedRuns, miss: number[]): Promise<void> {
    const { run, alone } = await runs.take(first, miss);
    if (run !== undefined) this.#active.push(run);
    for (const each of alone) await this.#answer(each, miss);
  }

  #end(answer: Answer): void {
    this.#answers.end(answer);
    this.#active = this.#active.filter((each) => each !== answer);
  }

  #forget(): void {
    this.#news?.stop();
    this.#items.stop();
    this.#deltas?.stop();
    for (const answer of this.#active) this.#end(answer);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
