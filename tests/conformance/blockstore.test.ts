import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { MemoryBlockstore } from '../../core/memory/blockstore.ts';
import type { Blockstore } from '../../core/ports/blockstore.ts';
import { nodeHasher } from '../../node/hasher.ts';
import { BlockDirectory } from '../../node/store/block-directory.ts';
import { BLOCKSTORE_CASES } from './blockstore.ts';

const ADAPTERS: Record<string, (use: (store: Blockstore) => Promise<void>) => Promise<void>> = {
  MemoryBlockstore: (use) => use(new MemoryBlockstore()),
  BlockDirectory: async (use) => {
    const directory = mkdtempSync(join(tmpdir(), 'moss-blocks-'));
    try {
      await use(new BlockDirectory(join(directory, 'blocks')));
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
};

for (const [name, withStore] of Object.entries(ADAPTERS)) {
  describe(`${name} as a block store`, () => {
    for (const { name: what, check } of BLOCKSTORE_CASES) it(what, () => withStore((store) => check(store, nodeHasher)));
  });
}
