import type { Cid } from '../dag/cid.ts';
import type { AbortOptions } from './abort.ts';

/**
 * Blocks by their CID. What comes out may be damaged or forged unless the adapter says otherwise: verify it.
 * A `put` that has resolved survives a crash of the process; `sync` makes all earlier ones survive a power cut.
 */
export interface Blockstore {
  /** Whether `get` gives nothing but what it has just checked against the CID, so that nobody need hash it once more. */
  readonly isChecked?: boolean;
  has(cid: Cid, options?: AbortOptions): Promise<boolean>;
  /** The block, or `undefined` when it is not here. */
  get(cid: Cid, options?: AbortOptions): Promise<Uint8Array | undefined>;
  put(cid: Cid, bytes: Uint8Array, options?: AbortOptions): Promise<void>;
  delete(cid: Cid, options?: AbortOptions): Promise<void>;
  list(options?: AbortOptions): AsyncIterable<Cid>;
  sync(): Promise<void>;
}
