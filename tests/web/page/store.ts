/** Runs in Chromium: the cases of the port, on either store; and a store that a test can drive. */
import { webClock } from '../../../web/clock.ts';
import { webHasher } from '../../../web/hasher.ts';
import { tabNetwork } from '../../../web/net/tab-network.ts';
import { startStoreWorker } from '../../../web/store/start-worker.ts';
import { WorkerBlockstore } from '../../../web/store/worker-blockstore.ts';
import type { StoreKind } from '../../../web/store/messages.ts';
import { rawBlock, type Block } from '../../../core/dag/block.ts';
import { parseCid, type Cid } from '../../../core/dag/cid.ts';
import { BlockList } from '../../../core/donate/block-list.ts';
import { Shelf } from '../../../core/donate/shelf.ts';
import { SLOTS } from '../../../core/donate/work.ts';
import { MossError } from '../../../core/error.ts';
import { ExchangeServer } from '../../../core/exchange/server.ts';
import { MemoryMetadataStore } from '../../../core/memory/metadata-store.ts';
import type { Hasher } from '../../../core/ports/hasher.ts';
import { BLOCKSTORE_CASES } from '../../conformance/blockstore.ts';
import { numbered } from '../../fixtures/noise.ts';

const hasher: Hasher = {
  sha256: async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes))),
};

/** The block of a number. */
function numberedBlock(number: number, size: number): Promise<Block> {
  return rawBlock(numbered(number, size), hasher);
}

const stores = new Map<string, WorkerBlockstore>();
function storeOf(name: string, kind?: StoreKind): WorkerBlockstore {
  const store = stores.get(name) ?? new WorkerBlockstore(startStoreWorker, name, kind);
  stores.set(name, store);
  return store;
}

/** The code of the error that it rejects with, or `fine`. */
async function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'fine',
    (error: unknown) => (error instanceof MossError ? error.code : String(error)),
  );
}

const chosen: Cid[] = [];

const bench = {
  cases: BLOCKSTORE_CASES.map(({ name }) => name),
  async check(number: number, kind: StoreKind): Promise<void> {
    const store = new WorkerBlockstore(startStoreWorker, `case-${kind}-${number}`, kind);
    try {
      await BLOCKSTORE_CASES[number]?.check(store, hasher);
    } finally {
      await store.destroy();
    }
  },
  kind: (name: string) => storeOf(name).open(),
  /** Puts blocks `from` to `to`, and tells how many there are. */
  async fill(name: string, from: number, to: number, size: number, kind?: StoreKind): Promise<string> {
    const store = storeOf(name, kind);
    let pending: Promise<string>[] = [];
    for (let number = from; number < to; number++) {
      const { cid, bytes } = await numberedBlock(number, size);
      pending.push(outcome(store.put(cid, bytes)));
      if (pending.length < 64) continue;
      const failed = (await Promise.all(pending)).find((each) => each !== 'fine');
      if (failed !== undefined) return failed;
      pending = [];
    }
    return (await Promise.all(pending)).find((each) => each !== 'fine') ?? 'fine';
  },
  async drop(name: string, from: number, to: number, size: number): Promise<void> {
    for (let number = from; number < to; number++) await storeOf(name).delete((await numberedBlock(number, size)).cid);
  },
  /** How many of these are there whole, and how many came out wrong. */
  async audit(name: string, from: number, to: number, size: number, kind?: StoreKind): Promise<{ right: number; wrong: number; missing: number }> {
    const store = storeOf(name, kind);
    const found = { right: 0, wrong: 0, missing: 0 };
    for (let number = from; number < to; number++) {
      const { cid, bytes } = await numberedBlock(number, size);
      const got = await store.get(cid);
      if (got === undefined) found.missing++;
      else if (got.length === bytes.length && got.every((byte, i) => byte === bytes[i])) found.right++;
      else found.wrong++;
    }
    return found;
  },
  async count(name: string): Promise<number> {
    let count = 0;
    for await (const _ of storeOf(name).list()) count++;
    return count;
  },
  /** Milliseconds from a worker that is not there to the first block out of it. */
  async reopen(name: string, number: number, size: number): Promise<number> {
    const { cid } = await numberedBlock(number, size);
    const start = performance.now();
    const got = await storeOf(name).get(cid);
    if (got?.length !== size) throw new Error('the block is not there');
    return performance.now() - start;
  },
  /** Works out which `count` blocks of `total`, here and there, are to be served. */
  async choose(total: number, count: number, size: number): Promise<void> {
    chosen.length = 0;
    for (let i = 0; i < count; i++) chosen.push((await numberedBlock((i * 7919) % total, size)).cid);
  },
  /** Milliseconds for those that were chosen, 64 at a time. */
  async serve(name: string, size: number): Promise<number> {
    const start = performance.now();
    for (let at = 0; at < chosen.length; at += 64) {
      const got = await Promise.all(chosen.slice(at, at + 64).map((cid) => storeOf(name).get(cid)));
      if (got.some((bytes) => bytes?.length !== size)) throw new Error('a block is not there');
    }
    return performance.now() - start;
  },
  /** Gives the blocks of a store to a machine, as a donor does; each of them has the same size. @returns how many */
  async give(name: string, size: number, addresses: string[]): Promise<number> {
    const blocks = new BlockList();
    for await (const cid of storeOf(name).list()) blocks.add({ cid, size });
    const shelf = new Shelf({ blocks: storeOf(name), hasher: webHasher, onLost: () => undefined });
    await shelf.list(blocks);
    const server = new ExchangeServer({ holdings: shelf, clock: webClock(), limits: SLOTS });
    const open = tabNetwork({ connections: 8, page: { hostname: location.hostname, isSecure: false }, transports: ['webrtc-direct'] });
    const network = await open({ records: new MemoryMetadataStore(), handler: server.handle, onChange: () => undefined });
    await network.dial(addresses);
    return blocks.count;
  },
  /** A block under the name of another one. */
  async forge(name: string): Promise<string> {
    const [{ cid }, { bytes }] = await Promise.all([numberedBlock(1, 100), numberedBlock(2, 100)]);
    return outcome(storeOf(name).put(cid, bytes));
  },
  sync: (name: string) => storeOf(name).sync(),
  close: (name: string) => storeOf(name).close(),
  destroy: (name: string) => storeOf(name).destroy(),
  outcome: async (name: string, text: string) => outcome(storeOf(name).has(parseCid(text))),
  /** Bytes of a file of the private file system. */
  async size(directory: string, file: string): Promise<number> {
    return (await (await fileOf(directory, file)).getFile()).size;
  },
  /** Writes over a file behind the store's back. */
  async scribble(directory: string, file: string, at: number, text: string): Promise<void> {
    const writable = await (await fileOf(directory, file)).createWritable({ keepExistingData: true });
    await writable.write({ type: 'write', position: at, data: text });
    await writable.close();
  },
  async cut(directory: string, file: string, size: number): Promise<void> {
    const writable = await (await fileOf(directory, file)).createWritable({ keepExistingData: true });
    await writable.truncate(size);
    await writable.close();
  },
};

async function fileOf(directory: string, file: string): Promise<FileSystemFileHandle> {
  return (await (await navigator.storage.getDirectory()).getDirectoryHandle(directory)).getFileHandle(file);
}

export type StoreBench = typeof bench;

Object.assign(globalThis, { bench });
