/** What the engine tells while it works. It never prints: the rim of each platform makes lines or pages of these. */
import type { SourceKind } from '../ports/source.ts';
import type { Step } from './transaction.ts';

export type MossEvent =
  /** Something waits for another process. */
  | { type: 'waiting'; what: string }
  | { type: 'step'; step: Step | 'resolve' | 'manifests' | 'resume' | 'verify' | 'import' | 'pack' | 'deltas' | 'sign' }
  /** How much there is to do in the present step; 0 where it is not known. */
  | { type: 'total'; unit: Unit; count: number }
  | { type: 'done'; unit: Unit; count: number }
  /** Bytes that came from a source, verified or not yet. */
  | { type: 'received'; source: string; kind: SourceKind; bytes: number }
  /** Bytes that need not come, as peers sent deltas instead; below 0 those that come although deltas were to save them. */
  | { type: 'saved'; bytes: number }
  /** Bytes of files that need not come, as an interrupted run brought them. */
  | { type: 'resumed'; bytes: number }
  /** Something that a person should know, and that stops nothing. */
  | { type: 'warning'; message: string; hint?: string | undefined };

export type Unit = 'bytes' | 'files' | 'entries' | 'packages' | 'blocks';

export type Listener = (event: MossEvent) => void;
