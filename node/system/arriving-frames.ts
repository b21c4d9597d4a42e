/** Frames on their way into the staging directory: each comes whole, or as the files that it brings, or some of both. */
import type { Cid } from '../../core/dag/cid.ts';
import { MossError } from '../../core/error.ts';
import type { ArrivedUnit } from '../../core/exchange/want.ts';
import type { Listener } from '../../core/install/event.ts';
import type { WantedFrame } from '../../core/install/plan.ts';
import type { Staging } from '../store/staging.ts';

export interface ArrivingOptions {
  staging: Staging;
  onEvent: Listener;
  /** Told of each frame that is here, or could not be unpacked: it throws, or the others go on. */
  onUnpacked: ((frame: WantedFrame, error?: MossError) => void) | undefined;
}

export class ArrivingFrames {
  readonly #options: ArrivingOptions;
  /** By block: the same bytes against another base are another frame. */
  readonly #left: Map<string, WantedFrame[]>;
  readonly #taking = new Map<string, Promise<void>>();
  #isOver = false;

  constructor(frames: readonly WantedFrame[], options: ArrivingOptions) {
    this.#left = Map.groupBy(frames, ({ cid }) => cid.toString());
    this.#options = options;
  }

  /** Frames of which something is not here yet; those of one block as one. */
  get left(): WantedFrame[] {
    return [...this.#left.values()].flatMap((some) => (some[0] === undefined ? [] : [{ ...some[0], pieces: some.flatMap(({ pieces }) => pieces) }]));
  }

  /** Unpacks what is still missing of a frame. Two sources may bring it, one of them late: it is unpacked once. */
  async takeFrame(cid: Cid, bytes: Uint8Array): Promise<void> {
    const key = cid.toString();
    const known = this.#taking.get(key);
    if (known !== undefined || this.#isOver) return known;
    const taking = this.#unpack(this.#left.get(key) ?? [], bytes);
    this.#taking.set(key, taking);
    try {
      await taking;
    } catch (error) {
      // Another source may have the right one.
      this.#taking.delete(key);
      throw error;
    }
  }

  /** Takes in files of a frame: for each, whether it was right. */
  async takeFiles(cid: Cid, units: readonly ArrivedUnit[]): Promise<boolean[]> {
    const { staging } = this.#options;
    const good = await staging.take(units);
    for (const frame of this.#left.get(cid.toString()) ?? []) if (staging.missing(frame.pieces).length === 0) this.#finish(frame);
    return good;
  }

  /** Waits for what is under way, and takes in nothing more: what comes instead of a frame must not meet what it still brings. */
  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled(this.#taking.values());
  }

  async #unpack(some: readonly WantedFrame[], bytes: Uint8Array): Promise<void> {
    const { staging, onUnpacked } = this.#options;
    for (const [i, frame] of some.entries()) {
      try {
        // Unpacking takes the bytes away: the last one may have them.
        await staging.unpack({ ...frame, pieces: staging.missing(frame.pieces) }, i < some.length - 1 ? Uint8Array.from(bytes) : bytes);
      } catch (error) {
        if (onUnpacked === undefined || !(error instanceof MossError) || error.code === 'bad-block') throw error;
        if (this.#remove(frame)) onUnpacked(frame, error);
        continue;
      }
      this.#finish(frame);
    }
  }

  #finish(frame: WantedFrame): void {
    const { onEvent, onUnpacked } = this.#options;
    if (!this.#remove(frame)) return;
    onUnpacked?.(frame);
    onEvent({ type: 'done', unit: 'bytes', count: frame.size });
    // A dictionary is no file of the new state.
    const whole = frame.pieces.filter(({ id, offset, length, total }) => offset + length === total && this.#options.staging.wanted.has(id));
    onEvent({ type: 'done', unit: 'files', count: whole.length });
  }

  /** Whether it was left until now. */
  #remove(frame: WantedFrame): boolean {
    const key = frame.cid.toString();
    const some = this.#left.get(key) ?? [];
    if (!some.includes(frame)) return false;
    const others = some.filter((each) => each !== frame);
    if (others.length > 0) this.#left.set(key, others);
    else this.#left.delete(key);
    return true;
  }
}
