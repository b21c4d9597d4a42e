/** What every adapter of the port `core/ports/blockstore.ts` does, as data: a runner of any platform can go through it. */
import { rawBlock, type Block } from '../../core/dag/block.ts';
import type { Blockstore } from '../../core/ports/blockstore.ts';
import type { Hasher } from '../../core/ports/hasher.ts';

export interface ConformanceCase {
  name: string;
  /** Rejects when the adapter does something else. */
  check: (store: Blockstore, hasher: Hasher) => Promise<void>;
}

function block(text: string, hasher: Hasher): Promise<Block> {
  return rawBlock(new TextEncoder().encode(text), hasher);
}

function hold(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

function same(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

async function listed(store: Blockstore): Promise<string[]> {
  const out: string[] = [];
  for await (const cid of store.list()) out.push(cid.toString());
  return out.toSorted();
}

export const BLOCKSTORE_CASES: readonly ConformanceCase[] = [
  {
    name: 'an empty store has nothing',
    check: async (store, hasher) => {
      const { cid } = await block('a', hasher);
      hold(!(await store.has(cid)), 'it has a block');
      hold((await store.get(cid)) === undefined, 'it gives a block');
      hold((await listed(store)).length === 0, 'it lists a block');
    },
  },
  {
    name: 'what was put is there',
    check: async (store, hasher) => {
      const { cid, bytes } = await block('hello', hasher);
      await store.put(cid, bytes);
      hold(await store.has(cid), 'has');
      hold(same(await store.get(cid), bytes), 'get');
    },
  },
  {
    name: 'an empty block is a block',
    check: async (store, hasher) => {
      const { cid, bytes } = await block('', hasher);
      await store.put(cid, bytes);
      hold(await store.has(cid), 'has');
      hold((await store.get(cid))?.length === 0, 'get');
    },
  },
  {
    name: 'a block of one byte less than 2 MiB comes back whole',
    check: async (store, hasher) => {
      const { cid, bytes } = await rawBlock(new Uint8Array(2 * 1024 * 1024 - 1).fill(7), hasher);
      await store.put(cid, bytes);
      hold(same(await store.get(cid), bytes), 'get');
    },
  },
  {
    name: 'putting a block twice changes nothing',
    check: async (store, hasher) => {
      const { cid, bytes } = await block('twice', hasher);
      await store.put(cid, bytes);
      await store.put(cid, bytes);
      hold((await listed(store)).length === 1, 'list');
    },
  },
  {
    name: 'the same block put at the same time is there once',
    check: async (store, hasher) => {
      const { cid, bytes } = await block('at once', hasher);
      await Promise.all(Array.from({ length: 8 }, () => store.put(cid, bytes)));
      hold((await listed(store)).length === 1 && same(await store.get(cid), bytes), 'list and get');
    },
  },
  {
    name: 'what the caller does to its bytes afterwards does not reach the store',
    check: async (store, hasher) => {
      const { cid, bytes } = await block('mine', hasher);
      const own = bytes.slice();
      await store.put(cid, own);
      own.fill(0);
      const got = await store.get(cid);
      hold(same(got, bytes), 'get after put');
      got?.fill(0);
      hold(same(await store.get(cid), bytes), 'get after get');
    },
  },
  {
    name: 'a part of a larger buffer is stored as that part',
    check: async (store, hasher) => {
      const { cid, bytes } = await block('part', hasher);
      const larger = new Uint8Array(bytes.length + 8);
      larger.set(bytes, 4);
      await store.put(cid, larger.subarray(4, 4 + bytes.length));
      hold(same(await store.get(cid), bytes), 'get');
    },
  },
  {
    name: 'a deleted block is gone, and deleting it again is no error',
    check: async (store, hasher) => {
      const { cid, bytes } = await block('gone', hasher);
      await store.put(cid, bytes);
      await store.delete(cid);
      await store.delete(cid);
      hold(!(await store.has(cid)) && (await store.get(cid)) === undefined, 'still there');
      hold((await listed(store)).length === 0, 'listed');
    },
  },
  {
    name: 'a list names every block once, of every codec',
    check: async (store, hasher) => {
      const { cborBlock } = await import('../../core/dag/block.ts');
      const blocks = [await block('a', hasher), await block('b', hasher), await cborBlock({ a: 1 }, hasher)];
      for (const { cid, bytes } of blocks) await store.put(cid, bytes);
      const expected = blocks.map(({ cid }) => cid.toString()).toSorted();
      hold(JSON.stringify(await listed(store)) === JSON.stringify(expected), 'list');
    },
  },
  {
    name: 'a list may be left early, and blocks deleted while it runs',
    check: async (store, hasher) => {
      for (const text of ['a', 'b', 'c']) {
        const { cid, bytes } = await block(text, hasher);
        await store.put(cid, bytes);
      }
      for await (const cid of store.list()) await store.delete(cid);
      hold((await listed(store)).length === 0, 'not all were deleted');
      for await (const _ of store.list()) break;
    },
  },
  {
    name: 'sync resolves, with and without blocks',
    check: async (store, hasher) => {
      await store.sync();
      const { cid, bytes } = await block('durable', hasher);
      await store.put(cid, bytes);
      await store.sync();
      hold(await store.has(cid), 'has');
    },
  },
];
