import type { MossError } from '../error.ts';
import type { Attempt } from './attempt.ts';
import type { Claim, News } from './news.ts';
import { seedOf } from './share-out.ts';
import type { TaskView } from './situation.ts';
import type { SourceState } from './source-state.ts';
import { keyOf, unitsOf, type FileUnit, type Want } from './want.ts';

/** One want on its way through a session. */
export class Task implements TaskView {
  readonly want: Want;
  /** As others name it. */
  readonly name: string;
  readonly bytes: number;
  readonly tried = new Map<SourceState, MossError>();
  readonly attempts = new Set<Attempt>();
  holders = 0;
  done = false;
  readonly seed: number;
  /** What is missing of its files, and what they are together; nothing, where it is no frame. */
  readonly units: Map<string, FileUnit>;
  readonly unitBytes: number;
  /** While a block is being taken in: another one that came waits for the outcome. */
  taking: Promise<void> | undefined;
  /** What was left of it when the session last counted. */
  counted: number;
  #missingBytes: number;

  readonly #news: News | undefined;

  constructor(want: Want, news?: News) {
    this.want = want;
    this.name = want.cid.toString();
    this.#news = news;
    this.seed = seedOf(this.name);
    this.bytes = Math.max(1, want.maxBytes);
    this.units = new Map(unitsOf(want.files ?? []).map((unit) => [keyOf(unit), unit]));
    this.unitBytes = [...this.units.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    this.#missingBytes = this.unitBytes;
    this.counted = this.bytes;
  }

  get claim(): Claim | undefined {
    return this.#news?.claimTo(this.name);
  }

  /** Bytes of it that are still to come. */
  get left(): number {
    if (this.done) return 0;
    return this.unitBytes === 0 ? this.bytes : (this.bytes * this.#missingBytes) / this.unitBytes;
  }

  /** One of its files was taken in. */
  take(unit: FileUnit): void {
    if (!this.units.delete(keyOf(unit))) return;
    this.#missingBytes -= unit.bytes;
    if (this.units.size === 0) this.done = true;
  }
}
