/** Answers to wants: content as it is, or compressed where that is smaller and worth the work. */
import { sameBytes } from '../dag/block.ts';
import { cidOf, RAW } from '../dag/cid.ts';
import { MossError } from '../error.ts';
import type { AbortSignal } from '../ports/abort.ts';
import type { Compressor } from '../ports/compressor.ts';
import type { Content } from '../ports/holdings.ts';
import type { Shared } from './server.ts';
import type { Encoding } from './wire/message.ts';

/** Below this, an answer gains nothing by compression; above, it would hold too much memory. */
const COMPRESSED_FROM = 128;
export const COMPRESSED_UP_TO = 1024 * 1024;
/** The quick level: as small as 19 without the dictionary, at 65 times the speed (measured). */
const LEVEL = 3;

export interface Answer {
  readonly number: number;
  readonly encoding: Encoding;
  /** Bytes of the content, and as it travels. */
  readonly plain: number;
  readonly length: number;
  /** Bytes that were sent. */
  at: number;
  /** Cancelled, or sent. */
  over: boolean;
  /** A run of it. @param into where the bytes may be put */
  readonly read: (offset: number, length: number, into: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  /** Bytes that are held for it. */
  readonly held: number;
}

export interface AnswersOptions {
  shared: Shared;
  /** Compresses what is worth it at the moment; `undefined` while nothing is. */
  compressor: () => Compressor | undefined;
  signal: AbortSignal;
}

/** Makes the answers of one stream. */
export class Answers {
  readonly #options: AnswersOptions;
  /** The last dictionary: wants come by package. */
  #dictionary: { sha256: Uint8Array; bytes: Uint8Array | undefined } | undefined;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /**
   * An answer, of which nothing was sent yet. What it holds is counted as held.
   *
   * @param reads whether the peer reads zstd, and the SHA-256 of the dictionary that it has
   */
  async make(number: number, content: Content, reads: { zstd: boolean; dictionary: Uint8Array | undefined }): Promise<Answer> {
    const { signal } = this.#options;
    const compressed = reads.zstd ? await this.#compress(content, reads.dictionary) : undefined;
    if (compressed !== undefined) return this.ofBytes(number, compressed.bytes, { encoding: compressed.encoding, plain: content.size });
    const read = (offset: number, length: number, into: Uint8Array): Uint8Array | Promise<Uint8Array> => content.read(offset, length, { signal, into });
    return { number, encoding: 'identity', plain: content.size, length: content.size, at: 0, over: false, read, held: 0 };
  }

  /** The same of bytes that are here. @param plain bytes of what they unpack to */
  ofBytes(number: number, bytes: Uint8Array, { encoding, plain }: Pick<Answer, 'encoding' | 'plain'>): Answer {
    this.#options.shared.held += bytes.length;
    const read = (offset: number, length: number): Uint8Array => bytes.subarray(offset, offset + length);
    return { number, encoding, plain, length: bytes.length, at: 0, over: false, read, held: bytes.length };
  }

  /** The content is on its way, or not wanted any more. */
  end(answer: Answer): void {
    if (answer.over) return;
    answer.over = true;
    this.#options.shared.held -= answer.held;
  }

  async #compress(content: Content, dictionary: Uint8Array | undefined): Promise<{ bytes: Uint8Array; encoding: Encoding } | undefined> {
    const { shared } = this.#options;
    const compressor = this.#options.compressor();
    const { size, compressible } = content;
    if (compressor === undefined || !compressible) return undefined;
    if (size < COMPRESSED_FROM || size > COMPRESSED_UP_TO || shared.held + size > shared.limits.held) return undefined;
    const base = dictionary && (await this.#findDictionary(dictionary));
    const bytes = await compressor.compress(await content.read(0, size), { level: LEVEL, dictionary: base });
    return bytes.length < size ? { bytes, encoding: base === undefined ? 'zstd' : 'zstd+dictionary' } : undefined;
  }

  /** The dictionary that the peer has, if it is served here too. */
  async #findDictionary(sha256: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#dictionary !== undefined && sameBytes(this.#dictionary.sha256, sha256)) return this.#dictionary.bytes;
    const content = await this.#options.shared.options.holdings.find({ kind: 'block', cid: cidOf(RAW, sha256) });
    const bytes = content === undefined || content.size > COMPRESSED_UP_TO ? undefined : await content.read(0, content.size);
    this.#dictionary = { sha256, bytes };
    return bytes;
  }
}

/** What is not there any more, although it was listed, is `undefined`. */
export async function unlessLost<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof MossError && error.code !== 'bug') return undefined;
    throw error;
  }
}
