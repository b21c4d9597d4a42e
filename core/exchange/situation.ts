/** What the scheduler sees of a session: values, which the session keeps up to date. */
import type { Durations, Rate } from './estimate.ts';
import type { Claim } from './news.ts';

/** Bytes of tasks as frames travel, whichever way they come: so that the rates of all sources compare. */
export type TaskBytes = number;

export interface SourceView {
  /** The floor is what everybody may fall back on: a webseed. */
  readonly kind: 'floor' | 'lan' | 'far';
  /** Requests at the same time, at most. */
  readonly concurrency: number;
  /** Banned, or left alone for the rest of the session. */
  readonly out: boolean;
  /** Whether something of it was accepted in this session. */
  readonly proven: boolean;
  /** Not to be asked before, in milliseconds on the clock. */
  readonly retryAt: number;
  readonly attempts: ReadonlySet<AttemptView>;
  readonly rate: Rate;
  /** Milliseconds from a request to its first byte; `undefined` when none came yet. */
  readonly latency: number | undefined;
  /** When something came last, or was asked for while nothing else was. */
  readonly lastProgress: number;
  /** When it had got something that it had not before, so that it may be fetching the same; `undefined` when never. */
  readonly gainedAt: number | undefined;
  /** Made of its name, 32 bits: the same for everybody who knows it. */
  readonly seed: number;
}

export interface TaskView {
  readonly bytes: TaskBytes;
  /** Sources that do not have it, or failed. */
  readonly tried: ReadonlyMap<SourceView, unknown>;
  readonly attempts: ReadonlySet<AttemptView>;
  /** Peers that are known to have it. */
  readonly holders: number;
  /** Made of its id, 32 bits. */
  readonly seed: number;
  /** The highest claim to it, this one's own among them; it may be an old one. */
  readonly claim: Claim | undefined;
}

export interface AttemptView {
  readonly task: TaskView;
  readonly source: SourceView;
  /** Milliseconds on the clock. */
  readonly startedAt: number;
  /** When its first byte came. */
  readonly firstAt: number | undefined;
  /** Bytes that came, as they travel. */
  readonly received: number;
  /** Those of them that would be lost with the attempt: not what was taken in file by file. */
  readonly atStake: number;
  /** What came of the task. */
  readonly progress: TaskBytes;
  /** All came, and is being taken in. */
  readonly accepting: boolean;
}

export interface Situation {
  readonly now: number;
  readonly startedAt: number;
  /** Whether peers may yet be found. */
  readonly expecting: boolean;
  /** The seed that others know this one by; `undefined` where nobody is served. */
  readonly self: number | undefined;
  readonly sources: readonly SourceView[];
  /** Tasks that nobody is asked for, in the order in which they are preferred. */
  readonly queue: readonly TaskView[];
  readonly attempts: ReadonlySet<AttemptView>;
  /** Of the whole session, and what of it has still to come. */
  readonly total: TaskBytes;
  readonly left: TaskBytes;
  /** Bytes that came twice. */
  readonly wasted: number;
  readonly durations: Durations;
  /** How fast everything together is taken in. */
  readonly accepted: Rate;
  readonly acceptedAt: number;
}
