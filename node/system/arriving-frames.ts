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
  readonly #left: Map<string, WantedFrame>;

  constructor(frames: readonly WantedFrame[], options: ArrivingOptions) {
    this.#left = new Map(frames.map((frame) => [frame.cid.toString(), frame]));
    this.#options = options;
  }

  /** Frames of which something is not here yet. */
  get left(): WantedFrame[] {
    return [...this.#left.values()];
  }

  /** Unpacks what is still missing of a frame. */
  async takeFrame(cid: Cid, bytes: Uint8Array): Promise<void> {
    const frame = this.#left.get(cid.toString());
    // Its files came while it was on its way.
    if (frame === undefined) return;
    const { staging, onUnpacked } = this.#options;
    try {
      await staging.unpack({ ...frame, pieces: staging.missing(frame.pieces) }, bytes);
    } catch (error) {
      if (onUnpacked === undefined || !(error instanceof MossError) || error.code === 'bad-block') throw error;
      this.#left.delete(cid.toString());
      onUnpacked(frame, error);
      return;
    }
    this.#finish(frame);
  }

  /** Takes in files of a frame: for each, whether it was right. */
  async takeFiles(cid: Cid, units: readonly ArrivedUnit[]): Promise<boolean[]> {
    const { staging } = this.#options;
    const good = await staging.take(units);
    const frame = this.#left.get(cid.toString());
    if (frame !== undefined && staging.missing(frame.pieces).length === 0) this.#finish(frame);
    return good;
  }

  #finish(frame: WantedFrame): void {
    const { onEvent, onUnpacked } = this.#options;
    if (!this.#left.delete(frame.cid.toString())) return;
    onUnpacked?.(frame);
    onEvent({ type: 'done', unit: 'bytes', count: frame.size });
    onEvent({ type: 'done', unit: 'files', count: frame.pieces.filter((piece) => piece.offset + piece.length === piece.total).length });
  }
}
