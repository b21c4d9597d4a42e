/** The answer of a web server to one request, as it comes over a connection (RFC 9112): only what static files get is read. */
import type { FetchResponse } from '../../core/ports/fetch.ts';

/** Bytes of a status line and headers. */
const MOST_HEAD = 16 * 1024;
/** Bytes that came and were not read, above which the server has to wait. */
const MOST_QUEUED = 256 * 1024;
const HEAD_END = '\r\n\r\n';

/** The answer is of a kind that is not read here: it does not say how long it is, or comes packed. */
export class UnusualAnswer extends Error {}

export interface AnswerEvents {
  /** What came was read, after `isFull`. */
  onDrained: () => void;
  /** Nobody reads on. */
  onCancel: () => void;
}

export class HttpAnswer implements FetchResponse {
  status = 0;
  /** Whether the connection can be used again afterwards. */
  stays = true;
  readonly headers = { get: (name: string): string | null => this.#headers.get(name.toLowerCase()) ?? null };
  readonly body = { getReader: () => ({ read: () => this.#read(), cancel: () => this.#cancel() }) };
  readonly #events: AnswerEvents;
  readonly #headers = new Map<string, string>();
  /** What came of the head, while it is not whole. */
  #head: Buffer | undefined;
  /** Bytes of the body that are to come; `undefined` before the head is whole. */
  #left: number | undefined;
  readonly #queue: Uint8Array[] = [];
  #queued = 0;
  #reader: PromiseWithResolvers<void> | undefined;
  #failure: { error: unknown } | undefined;

  constructor(events: AnswerEvents) {
    this.#events = events;
  }

  /** Whether status and headers are here. */
  get hasHead(): boolean {
    return this.#left !== undefined;
  }

  get isWhole(): boolean {
    return this.#left === 0;
  }

  /** Whether more came than is read at the time: then no more should be taken before `onDrained`. */
  get isFull(): boolean {
    return this.#queued > MOST_QUEUED;
  }

  /**
   * Takes in what came; the memory is the caller's again afterwards.
   *
   * @throws UnusualAnswer
   */
  take(bytes: Buffer): void {
    const rest = this.#left === undefined ? this.#takeHead(bytes) : bytes;
    if (this.#left === undefined || rest === undefined) return;
    if (rest.length > this.#left) this.stays = false;
    const piece = new Uint8Array(rest.length > this.#left ? rest.subarray(0, this.#left) : rest);
    this.#left -= piece.length;
    if (piece.length > 0) {
      this.#queue.push(piece);
      this.#queued += piece.length;
    }
    this.#reader?.resolve();
  }

  /** Nothing more comes. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#reader?.resolve();
  }

  async #read(): Promise<{ done: boolean; value?: Uint8Array }> {
    for (;;) {
      const wasFull = this.isFull;
      const value = this.#queue.shift();
      if (value !== undefined) {
        this.#queued -= value.length;
        if (wasFull && !this.isFull) this.#events.onDrained();
        return { done: false, value };
      }
      if (this.isWhole) return { done: true };
      if (this.#failure !== undefined) throw this.#failure.error;
      this.#reader = Promise.withResolvers();
      await this.#reader.promise;
    }
  }

  #cancel(): Promise<void> {
    if (!this.isWhole) this.#events.onCancel();
    return Promise.resolve();
  }

  /** @returns what came after the head; `undefined` where that is not whole */
  #takeHead(bytes: Buffer): Buffer | undefined {
    const all = this.#head === undefined ? bytes : Buffer.concat([this.#head, bytes]);
    const end = all.indexOf(HEAD_END);
    if (end > MOST_HEAD || (end === -1 && all.length > MOST_HEAD)) throw new UnusualAnswer('its head is very long');
    this.#head = end === -1 ? Buffer.from(all) : undefined;
    if (end === -1) return undefined;
    this.#left = this.#readHead(all.toString('latin1', 0, end));
    return all.subarray(end + HEAD_END.length);
  }

  /** @returns bytes of the body */
  #readHead(head: string): number {
    const [first = '', ...lines] = head.split('\r\n');
    const [, minor, status] = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(first) ?? [];
    if (status === undefined) throw new UnusualAnswer('it is not of HTTP/1');
    this.status = Number(status);
    for (const line of lines) {
      const colon = line.indexOf(':');
      const name = line.slice(0, colon).toLowerCase();
      if (colon <= 0 || /\s/.test(name)) throw new UnusualAnswer('a line of its head is no header');
      const value = line.slice(colon + 1).trim();
      const there = this.#headers.get(name);
      if (there !== undefined && name === 'content-length') throw new UnusualAnswer('it says twice how long it is');
      this.#headers.set(name, there === undefined ? value : `${there}, ${value}`);
    }
    const length = this.#headers.get('content-length') ?? '';
    if (!/^\d{1,15}$/.test(length) || this.#headers.has('transfer-encoding')) throw new UnusualAnswer('it does not say how long it is');
    // These have no body, whatever they say (RFC 9112, 6.3).
    if (this.status < 200 || this.status === 204 || this.status === 304) throw new UnusualAnswer('it has no body');
    if ((this.#headers.get('content-encoding') ?? 'identity') !== 'identity') throw new UnusualAnswer('it comes packed');
    this.stays = minor === '1' && !/\bclose\b/i.test(this.#headers.get('connection') ?? '');
    return Number(length);
  }
}
