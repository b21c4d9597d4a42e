/** What a session is given, and what it tells at its end. */
import type { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { Random } from '../ports/random.ts';
import type { Source } from '../ports/source.ts';
import type { News } from './news.ts';
import type { ArrivedUnit, Want } from './want.ts';

export interface SessionOptions extends AbortOptions {
  sources: readonly Source[];
  clock: Clock;
  /**
   * Takes a block in, after checking its hash. Rejects with `bad-block` when the bytes are not the block's: the source
   * is banned and another one asked. Any other rejection ends the session.
   */
  accept: (want: Want, bytes: Uint8Array, source: Source) => Promise<void>;
  /**
   * Takes in what came of a frame's files, after checking each, and says of each whether it was right: a wrong one bans
   * the source. Without this and `hasher`, files are not asked for. A frame may come whole after some of its files.
   */
  acceptFiles?: ((want: Want, units: readonly ArrivedUnit[], source: Source) => Promise<boolean[]>) | undefined;
  hasher?: Hasher | undefined;
  /** Puts the wants in an order of its own, so that many who fetch the same have something for each other. */
  random?: Random | undefined;
  /** The name by which the sources know this one, where it serves them: those who fetch the same share out what to begin with. */
  self?: string | undefined;
  /** What those who fetch the same tell each other: with `self`, and shared with the server. */
  news?: News | undefined;
  onBytes?: ((source: Source, count: number) => void) | undefined;
  /** A source was found to lie: the caller may remember it. */
  onBan?: ((source: Source, error: MossError) => void) | undefined;
  /**
   * Called at once with a function that takes sources which are found while the session goes on. What it gives settles when the
   * search has had its time: so long, what nobody has is waited for.
   */
  join?: ((add: (source: Source) => void) => Promise<void> | void) | undefined;
}

/** What a session did, for ledgers and tests. */
export interface SessionReport {
  /** Bytes that came of what another source brought, and of what was wrong, as they travel. */
  duplicate: number;
  wrong: number;
  /** Optional wants that could not be had, and why. */
  missed: ReadonlyMap<Want, MossError>;
}
