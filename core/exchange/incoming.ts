/** An answer on its way in: its lengths are held against the want, piece by piece. */
import { MossError } from '../error.ts';
import type { Compressor } from '../ports/compressor.ts';
import type { Cid } from '../dag/cid.ts';
import { badMessage, MAX_ANSWER, type Asked, type Data } from './wire/message.ts';

export interface Ask {
  wanted: Asked;
  /** The most that may come; of a delta exactly what is in it. */
  maxBytes: number;
  /** Content that answers may be compressed against, and its SHA-256. */
  dictionary?: { sha256: Uint8Array; bytes: Uint8Array } | undefined;
  /** Where a delta is wanted: the file that it leads from. */
  base?: Cid | undefined;
}

export class Incoming {
  readonly #ask: Omit<Ask, 'wanted'> & { wanted: Ask['wanted'] | 'run' };
  readonly #compressor: Compressor | undefined;
  #head: Pick<Data, 'encoding' | 'plain' | 'length'> | undefined;
  #buffer = new Uint8Array(0);
  #received = 0;

  /** @param ask what may come: of a run nothing but its bytes is known before it is here */
  constructor(ask: Ask | { wanted: 'run'; maxBytes: number }, compressor: Compressor | undefined) {
    this.#ask = ask;
    this.#compressor = compressor;
  }

  /** Bytes that may still come. */
  get rest(): number {
    return (this.#head?.length ?? Math.min(MAX_ANSWER, this.#ask.maxBytes)) - this.#received;
  }

  /**
   * Takes the next bytes.
   *
   * @returns whether all have come
   * @throws MossError `bad-message` when they are not what may come
   */
  take({ encoding, plain, length, at, bytes }: Data): boolean {
    const head = this.#head;
    if (head === undefined) {
      this.#check(encoding, plain);
      this.#head = { encoding, plain, length };
      this.#buffer = new Uint8Array(length);
    } else if (head.encoding !== encoding || head.plain !== plain || head.length !== length) throw badMessage('an answer that changes its mind');
    if (at !== this.#received) throw badMessage('pieces out of order');
    this.#buffer.set(bytes, at);
    this.#received += bytes.length;
    return this.#received === length;
  }

  /** Nothing is allocated for what may not come. */
  #check(encoding: Data['encoding'], plain: number): void {
    const { wanted, maxBytes, dictionary } = this.#ask;
    if ((encoding === 'zstd run') !== (wanted === 'run')) throw badMessage('an answer that is in a run and is not');
    if (plain > maxBytes) throw badMessage(`${plain} bytes where ${maxBytes} may come`);
    if ((encoding === 'zstd+base') !== (wanted !== 'run' && wanted.kind === 'delta')) throw badMessage('a delta that nobody asked for, or none where one was asked for');
    if (encoding === 'zstd+base') {
      if (plain !== maxBytes) throw badMessage(`a delta to ${plain} bytes where the file has ${maxBytes}`);
      return;
    }
    if (encoding !== 'identity' && this.#compressor === undefined) throw badMessage('an encoding that was not offered');
    if (encoding === 'zstd+dictionary' && dictionary === undefined) throw badMessage('a dictionary that was not offered');
  }

  /**
   * The content, unverified; a delta as it is: who has the base undoes it.
   *
   * @throws MossError `bad-block` when it cannot be unpacked
   */
  async content(): Promise<Uint8Array> {
    const { encoding = 'identity', plain = 0 } = this.#head ?? {};
    if (encoding === 'identity' || encoding === 'zstd+base' || this.#compressor === undefined) return this.#buffer;
    try {
      const dictionary = encoding === 'zstd+dictionary' ? this.#ask.dictionary?.bytes : undefined;
      return await this.#compressor.decompress(this.#buffer, { size: plain, dictionary });
    } catch (cause) {
      throw new MossError('bad-block', 'a peer sent what cannot be unpacked', { cause });
    }
  }
}
