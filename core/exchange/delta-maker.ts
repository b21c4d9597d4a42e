/**
 * Deltas on request: a peer that holds a file and an earlier one compresses the one against the other for who asks, where
 * the publisher made no delta. That costs it processor time, so it is bounded, and what was made is kept for the next one.
 *
 * The answer is a zstd frame whose dictionary is the earlier file. Nobody believes it: the receiver holds what comes out
 * against the file's id.
 */
import type { FileId } from '../dag/file-id.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compressor } from '../ports/compressor.ts';

/** A file that is here. */
export interface HeldFile {
  id: FileId;
  /** Bytes. */
  size: number;
  read(): Uint8Array | Promise<Uint8Array>;
}

export interface DeltaLimits {
  /** Bytes of a file, and of the one before it, at most. */
  content: number;
  base: number;
  /** Requests that wait for their turn, at most: one is worked on at a time. */
  waiting: number;
  /** Share of one processor that may go into this, over a minute. */
  share: number;
  /** Bytes of finished deltas that are kept. */
  cache: number;
}

export const DELTA_LIMITS: DeltaLimits = { content: 8 << 20, base: 32 << 20, waiting: 16, share: 0.25, cache: 32 << 20 };

/** `none`: it would save nothing, or is too large to try; `busy`: others ask for too much at the moment. */
export type MadeDelta = { kind: 'delta'; bytes: Uint8Array } | { kind: 'none' } | { kind: 'busy' };

/** The lowest level that finds things in a base of megabytes: 93 MB/s, and 1.16 times the bytes of level 19 (measured). */
const LEVEL = 10;
/** A delta must leave this share of the file at most: compressed by itself, it is about a third. */
const WORTH = 0.25;
/** Milliseconds over which the share is counted. */
const WINDOW = 60_000;
/** zstd takes content that begins like this for a trained dictionary (RFC 8878 section 6). */
const DICTIONARY_MAGIC = 0xec30a437;

export class DeltaMaker {
  readonly #clock: Clock;
  readonly #compressor: Compressor;
  readonly #limits: DeltaLimits;
  /** The oldest first; `undefined` where none is worth it. */
  readonly #made = new Map<string, Uint8Array | undefined>();
  readonly #underWay = new Map<string, Promise<MadeDelta>>();
  #cached = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** Milliseconds that may still be spent, and when that was counted. */
  #budget: number;
  #countedAt: number;

  constructor({ clock, compressor, limits = DELTA_LIMITS }: { clock: Clock; compressor: Compressor; limits?: DeltaLimits }) {
    this.#clock = clock;
    this.#compressor = compressor;
    this.#limits = limits;
    this.#budget = WINDOW * limits.share;
    this.#countedAt = clock.now();
  }

  /** The delta that leads from one file to another; those who ask for the same one share it. */
  make(from: HeldFile, to: HeldFile): Promise<MadeDelta> {
    const key = `${from.id} ${to.id}`;
    if (this.#made.has(key)) return Promise.resolve(this.#cachedDelta(key));
    const { content, base, waiting } = this.#limits;
    if (to.size > content || from.size > base || to.size === 0 || from.size === 0) return Promise.resolve({ kind: 'none' });
    const known = this.#underWay.get(key);
    if (known !== undefined) return known;
    if (this.#waiting >= waiting || this.#left() <= 0) return Promise.resolve({ kind: 'busy' });
    const making = this.#inTurn(() => this.#make(key, from, to)).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, making);
    return making;
  }

  async #inTurn(work: () => Promise<MadeDelta>): Promise<MadeDelta> {
    this.#waiting++;
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    try {
      await before;
      return this.#left() <= 0 ? { kind: 'busy' } : await work();
    } finally {
      this.#waiting--;
      resolve();
    }
  }

  async #make(key: string, from: HeldFile, to: HeldFile): Promise<MadeDelta> {
    const [dictionary, bytes] = [await from.read(), await to.read()];
    if (isDictionary(dictionary)) return { kind: 'none' };
    const start = this.#clock.now();
    const delta = await this.#compressor.compress(bytes, { level: LEVEL, dictionary });
    this.#budget -= this.#clock.now() - start;
    this.#keep(key, delta.length <= to.size * WORTH ? delta : undefined);
    return this.#cachedDelta(key);
  }

  /** Milliseconds that may be spent now. */
  #left(): number {
    const now = this.#clock.now();
    this.#budget = Math.min(WINDOW * this.#limits.share, this.#budget + Math.max(0, now - this.#countedAt) * this.#limits.share);
    this.#countedAt = now;
    return this.#budget;
  }

  #cachedDelta(key: string): MadeDelta {
    const bytes = this.#made.get(key);
    // What was asked for last goes last.
    this.#made.delete(key);
    this.#made.set(key, bytes);
    return bytes === undefined ? { kind: 'none' } : { kind: 'delta', bytes };
  }

  #keep(key: string, bytes: Uint8Array | undefined): void {
    this.#made.set(key, bytes);
    this.#cached += sizeInCache(bytes);
    for (const [oldest, content] of this.#made) {
      if (this.#cached <= this.#limits.cache || oldest === key) break;
      this.#made.delete(oldest);
      this.#cached -= sizeInCache(content);
    }
  }
}

/** What is known to be not worth it takes room too. */
function sizeInCache(bytes: Uint8Array | undefined): number {
  return 256 + (bytes?.length ?? 0);
}

function isDictionary(content: Uint8Array): boolean {
  return content.length >= 4 && new DataView(content.buffer, content.byteOffset).getUint32(0, true) === DICTIONARY_MAGIC;
}
