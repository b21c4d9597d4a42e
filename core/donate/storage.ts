/** Where a donor keeps what it holds: a composition root hands it in. */
import type { Blockstore } from '../ports/blockstore.ts';
import type { MetadataStore } from '../ports/metadata.ts';

export interface DonorStorage {
  /** The blocks. What comes out is verified again before it is served. */
  readonly blocks: Blockstore;
  /**
   * Small things: signed metadata, counts, what is held, the identity. Names are those of files, with a prefix of the
   * donor's own; settings and consent are the page's.
   */
  readonly records: MetadataStore;
}
