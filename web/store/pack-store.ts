import { MossError } from '../../core/error.ts';
import type { Backend } from './backend.ts';
import { isBlockOf, requireBlockOf } from './key.ts';
import { Pack } from './pack.ts';

const DATA = 'blocks.pack';
const INDEX = 'blocks.index';
/** Another tab, or the same one before a reload, may just be about to let the files go: tried this often ... */
const TRIES = 20;
/** ... every so many milliseconds. */
const PAUSE = 50;

/**
 * Blocks in the origin's private file system. The files are opened when they are first needed, and opened anew after an
 * error: what the browser evicted is then simply not here any more.
 */
export class PackStore implements Backend {
  readonly #directory: string;
  #pack: Promise<Pack> | undefined;

  /** @param directory its name in the origin's private file system */
  constructor(directory: string) {
    this.#directory = directory;
  }

  has(key: Uint8Array): Promise<boolean> {
    return this.#with((pack) => pack.has(key));
  }

  async get(key: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = await this.#with((pack) => pack.read(key));
    if (bytes === undefined || (await isBlockOf(key, bytes))) return bytes;
    // Where not even that can be written, the files are opened anew, and what is there is checked again.
    await this.delete(key).catch(() => undefined);
    return undefined;
  }

  async put(key: Uint8Array, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await requireBlockOf(key, bytes);
    await this.#with((pack) => pack.write(key, bytes));
  }

  delete(key: Uint8Array): Promise<void> {
    return this.#with((pack) => pack.remove(key));
  }

  list(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#with((pack) => pack.keys());
  }

  sync(): Promise<void> {
    return this.#with((pack) => pack.sync());
  }

  async destroy(): Promise<void> {
    await this.#forget();
    const root = await navigator.storage.getDirectory();
    await root.removeEntry(this.#directory, { recursive: true }).catch((error: unknown) => {
      if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
    });
  }

  async #with<T>(use: (pack: Pack) => T): Promise<T> {
    this.#pack ??= openPack(this.#directory);
    let pack: Pack;
    try {
      pack = await this.#pack;
    } catch (error) {
      this.#pack = undefined;
      throw error;
    }
    try {
      return use(pack);
    } catch (cause) {
      // Also when the disk seems full: files that were evicted while they were open take no byte either.
      await this.#forget();
      throw cause instanceof MossError ? cause : new MossError('io', 'the storage of the browser failed', { cause });
    }
  }

  async #forget(): Promise<void> {
    const pack = this.#pack;
    this.#pack = undefined;
    try {
      (await pack)?.close();
    } catch {
      // It is of no use any more, whether it closes or not.
    }
  }
}

async function openPack(name: string): Promise<Pack> {
  const root = await navigator.storage.getDirectory();
  const directory = await root.getDirectoryHandle(name, { create: true });
  const data = await openFile(directory, DATA);
  try {
    return new Pack(data, await openFile(directory, INDEX));
  } catch (error) {
    data.close();
    throw error;
  }
}

async function openFile(directory: FileSystemDirectoryHandle, name: string): Promise<FileSystemSyncAccessHandle> {
  const file = await directory.getFileHandle(name, { create: true });
  for (let tries = 1; ; tries++) {
    try {
      return await file.createSyncAccessHandle();
    } catch (cause) {
      const isTaken = cause instanceof DOMException && cause.name === 'NoModificationAllowedError';
      if (!isTaken) throw cause;
      if (tries === TRIES) throw new MossError('locked', 'another tab has the blocks open', { cause });
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
