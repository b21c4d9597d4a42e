/**
 * Deltas on request: a peer that holds a file and an earlier one compresses the one against the other for who asks, where
 * the publisher made no delta. That costs it processor time, so it is bounded, and what was made is kept for the next one.
 *
 * The answer is a zstd frame whose dictionary is the earlier file. Nobody believes it: the receiver holds what comes out
 * against the file's id.
 */
import { isTrainedDictionary } from '../dag/trained-dictionary.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compressor } from '../ports/compressor.ts';
import type { DeltaEnds } from '../ports/holdings.ts';
import { ServedDeltas, type ServedDeltasOptions } from './served-deltas.ts';
import { Turns } from './turns.ts';
import { MAX_ANSWER, MAX_DELTA_CONTENT } from './wire/message.ts';

export interface DeltaLimits {
  /** Bytes of a file, and of the one before it, at most. */
  content: number;
  base: number;
  /** Requests that wait for their turn, at most, of all peers and of one: one is worked on at a time. */
  waiting: number;
  waitingPerPeer: number;
  /** Share of one processor that may go into this, over a minute. */
  share: number;
  /** Bytes of finished deltas that are kept. */
  cache: number;
}

export const DELTA_LIMITS: DeltaLimits = { content: MAX_DELTA_CONTENT, base: 16 << 20, waiting: 256, waitingPerPeer: 32, share: 0.25, cache: 32 << 20 };

/** `none`: it would save nothing, or is too large to try; `busy`: others ask for too much at the moment. */
export type MadeDelta = { kind: 'delta'; bytes: Uint8Array } | { kind: 'none' } | { kind: 'busy' };

/** The lowest level that finds things in a base of megabytes: 93 MB/s, and 1.16 times the bytes of level 19 (measured). */
const LEVEL = 10;
/** A delta must leave this share of the file at most: compressed by itself, it is about a third. */
const WORTH = 0.25;
/** Bytes of a delta that is worth it in any case where it is smaller than its file: beside it, others would be for nothing. */
const SMALL = 256;
/** Milliseconds over which the share is counted. */
const WINDOW = 60_000;

export class DeltaMaker {
  readonly #clock: Clock;
  readonly #compressor: Compressor;
  readonly #limits: DeltaLimits;
  /** The oldest first; `undefined` where none is worth it. */
  readonly #made = new Map<string, Uint8Array | undefined>();
  readonly #underWay = new Map<string, Promise<MadeDelta>>();
  #cached = 0;
  /** Fair over peers, as sending is: by the bytes that were worked through for each. */
  readonly #turns = new Turns(1);
  readonly #waiting = new Map<string, number>();
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

  /** The deltas of one stream. */
  serve(options: ServedDeltasOptions): ServedDeltas {
    return new ServedDeltas(this, options);
  }

  /**
   * The delta that leads from one file to another; those who ask for the same one share it.
   *
   * @param peer who asks
   * @throws MossError `damaged` when one of them is not there any more as it was
   */
  make(peer: string, ends: DeltaEnds): Promise<MadeDelta> {
    const { base: from, target: to } = ends;
    const key = `${from.key} ${to.key}`;
    if (this.#made.has(key)) return Promise.resolve(this.#cachedDelta(key));
    const { content, base, waiting, waitingPerPeer } = this.#limits;
    if (to.size > content || from.size > base || to.size === 0 || from.size === 0) return Promise.resolve({ kind: 'none' });
    const known = this.#underWay.get(key);
    if (known !== undefined) return known;
    const mine = this.#waiting.get(peer) ?? 0;
    if (this.#underWay.size >= waiting || mine >= waitingPerPeer || this.#left() <= 0) return Promise.resolve({ kind: 'busy' });
    this.#waiting.set(peer, mine + 1);
    const making = this.#inTurn(peer, key, ends).finally(() => {
      this.#underWay.delete(key);
      const left = (this.#waiting.get(peer) ?? 1) - 1;
      if (left > 0) this.#waiting.set(peer, left);
      else this.#waiting.delete(peer);
    });
    this.#underWay.set(key, making);
    return making;
  }

  async #inTurn(peer: string, key: string, ends: DeltaEnds): Promise<MadeDelta> {
    const turn = await this.#turns.take(peer);
    let worked = 0;
    try {
      if (this.#left() <= 0) return { kind: 'busy' };
      worked = ends.base.size + ends.target.size;
      return await this.#make(key, ends);
    } finally {
      turn.end(worked);
    }
  }

  async #make(key: string, { base, target }: DeltaEnds): Promise<MadeDelta> {
    const start = this.#clock.now();
    const [dictionary, bytes] = [await base.read(), await target.read()];
    const isPossible = bytes.length === target.size && !isTrainedDictionary(dictionary);
    const delta = isPossible ? await this.#compressor.compress(bytes, { level: LEVEL, dictionary }) : undefined;
    this.#budget -= this.#clock.now() - start;
    const isWorth = delta !== undefined && delta.length <= Math.max(SMALL, target.size * WORTH) && delta.length < target.size && delta.length <= MAX_ANSWER;
    this.#keep(key, isWorth ? delta : undefined);
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
