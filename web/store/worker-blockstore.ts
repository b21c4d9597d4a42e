import type { Cid } from '../../core/dag/cid.ts';
import { MossError } from '../../core/error.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { Blockstore } from '../../core/ports/blockstore.ts';
import { Garbage } from './garbage.ts';
import { cidOfKey, keyOfCid } from './key.ts';
import { KEY_SIZE } from './slot.ts';
import type { StoreAnswer, StoreAnswers, StoreKind, StoreRequest } from './messages.ts';

type Waiting = { resolve: (value: StoreAnswers[keyof StoreAnswers]) => void; reject: (error: MossError) => void };
/** Omits from each member of a union. */
type Unnumbered<T> = T extends unknown ? Omit<T, 'number'> : never;

/**
 * Blocks that a dedicated worker keeps. What comes out was checked against its CID there, and `put` rejects with
 * `bad-block` for bytes of another one; so nobody need check again.
 */
export class WorkerBlockstore implements Blockstore {
  readonly isChecked = true;
  readonly #start: () => Worker;
  readonly #name: string;
  readonly #kind: StoreKind | undefined;
  #worker: Worker | undefined;
  #opened: Promise<StoreKind> | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  readonly #garbage = new Garbage();

  /**
   * Nothing is started before the first call.
   *
   * @param name of the directory, or of the database
   * @param kind left out, the private file system where there is one, else IndexedDB
   */
  constructor(start: () => Worker, name: string, kind?: StoreKind) {
    this.#start = start;
    this.#name = name;
    this.#kind = kind;
  }

  /** What the blocks are kept in. */
  open(): Promise<StoreKind> {
    this.#opened ??= this.#send('open', { do: 'open', name: this.#name, kind: this.#kind });
    return this.#opened;
  }

  async has(cid: Cid, { signal }: AbortOptions = {}): Promise<boolean> {
    signal?.throwIfAborted();
    await this.open();
    return this.#send('has', { do: 'has', key: keyOfCid(cid) });
  }

  async get(cid: Cid, { signal }: AbortOptions = {}): Promise<Uint8Array | undefined> {
    signal?.throwIfAborted();
    await this.open();
    const bytes = await this.#send('get', { do: 'get', key: keyOfCid(cid) });
    this.#garbage.passed(bytes?.length ?? 0);
    return bytes;
  }

  async put(cid: Cid, bytes: Uint8Array, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    // A copy that is the worker's own: what the caller does to its bytes later does not reach it.
    const own = new Uint8Array(bytes);
    await this.open();
    await this.#send('put', { do: 'put', key: keyOfCid(cid), bytes: own }, [own.buffer]);
    this.#garbage.passed(bytes.length);
  }

  async delete(cid: Cid, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    await this.open();
    await this.#send('delete', { do: 'delete', key: keyOfCid(cid) });
  }

  async *list({ signal }: AbortOptions = {}): AsyncGenerator<Cid> {
    await this.open();
    const keys = await this.#send('list', { do: 'list' });
    for (let at = 0; at < keys.length; at += KEY_SIZE) {
      signal?.throwIfAborted();
      const cid = cidOfKey(keys.subarray(at, at + KEY_SIZE));
      if (cid !== undefined) yield cid;
    }
  }

  async sync(): Promise<void> {
    await this.open();
    await this.#send('sync', { do: 'sync' });
  }

  /** Removes all blocks; the next call begins with an empty store. */
  async destroy(): Promise<void> {
    await this.open();
    await this.#send('destroy', { do: 'destroy' });
    this.close();
  }

  /** Lets the files go, for another tab. The next call opens them again. */
  close(): void {
    this.#worker?.terminate();
    this.#fail('the store was closed');
  }

  #send<D extends keyof StoreAnswers>(_: D, request: Extract<Unnumbered<StoreRequest>, { do: D }> | Unnumbered<StoreRequest>, transfer: Transferable[] = []): Promise<StoreAnswers[D]> {
    const number = ++this.#last;
    this.#worker ??= this.#open();
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      // The worker answers each number with what was asked (`StoreAnswers`).
      this.#waiting.set(number, { resolve: (value) => resolve(value as StoreAnswers[D]), reject });
      worker.postMessage({ ...request, number }, transfer);
    });
  }

  #open(): Worker {
    const worker = this.#start();
    worker.addEventListener('message', ({ data }: MessageEvent<StoreAnswer>) => {
      const waiting = this.#waiting.get(data.number);
      this.#waiting.delete(data.number);
      if ('failure' in data) waiting?.reject(new MossError(data.failure.code, data.failure.message, data.failure.hint === undefined ? {} : { hint: data.failure.hint }));
      else waiting?.resolve(data.value);
    });
    worker.addEventListener('error', (event) => {
      if (this.#worker === worker) this.#fail(`the worker that keeps the blocks ended: ${event.message}`);
    });
    return worker;
  }

  #fail(message: string): void {
    this.#worker = undefined;
    this.#opened = undefined;
    for (const { reject } of this.#waiting.values()) reject(new MossError('io', message));
    this.#waiting.clear();
  }
}
