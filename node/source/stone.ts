/** Importer for `.stone` packages, container version 1. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { createXXHash128 } from 'hash-wasm';
import type { Entry } from '../../core/dag/entry.ts';
import { LEAF_SIZE } from '../../core/dag/file-id.ts';
import type { AbortSignal } from '../../core/ports/abort.ts';
import type { ByteReader } from './byte-reader.ts';
import { DEFAULT_LIMITS, type Importer, type ImportLimits, type Spool, type Spooled } from './imported.ts';
import { Place } from './place.ts';
import { openPayload, stonePayloads, type PayloadKind, type StonePayload } from './stone-container.ts';
import { EMPTY_DIGEST, readStoneRanges, readStoneLayout, type StoneEntry, type StoneRange } from './stone-layout.ts';
import { readStoneMeta, stoneMetadata } from './stone-meta.ts';
import { ownerOf, Tree, type Content } from './tree.ts';

export { STONE_MAGIC } from './stone-container.ts';

/** @throws MossError `bad-package`, `bad-path`, `unsupported`, `io` */
export const importStone: Importer = async (file, { spool, limits = DEFAULT_LIMITS, signal }) => {
  const place = new Place(file);
  try {
    signal?.throwIfAborted();
    const fd = openSync(file, 'r');
    try {
      const stone = new Stone(fd, place, limits, signal);
      const metadata = await stone.read('meta', async (reader, payload, inside) => stoneMetadata(await readStoneMeta(reader, payload, inside), inside));
      if (metadata === undefined) throw place.bad('it has no meta payload');
      return { metadata, entries: await stone.entries(spool), scripts: [], alternatives: [], conffiles: [] };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw place.name(error);
  }
};

type Read<T> = (reader: ByteReader, payload: StonePayload, place: Place) => Promise<T>;

class Stone {
  readonly #fd: number;
  readonly #place: Place;
  readonly #limits: ImportLimits;
  readonly #signal: AbortSignal | undefined;
  readonly #payloads = new Map<PayloadKind, StonePayload>();

  constructor(fd: number, place: Place, limits: ImportLimits, signal: AbortSignal | undefined) {
    this.#fd = fd;
    this.#place = place;
    this.#limits = limits;
    this.#signal = signal;
    const { type, payloads } = stonePayloads(fd, fstatSync(fd).size, place);
    if (type !== 'package') {
      const hint = type === 'index' ? 'Publish the packages that it lists.' : 'Publish the whole package instead.';
      throw place.unsupported(`it is no package, but a file of the type "${type}"`, { offset: 27 }, hint);
    }
    for (const payload of payloads) {
      if (this.#payloads.has(payload.kind)) throw place.bad(`a second ${payload.kind} payload`, { offset: payload.start });
      if (payload.plainSize > limits.bytes) {
        throw place.bad(`its ${payload.kind} payload unpacks to more than ${limits.bytes} bytes: ${payload.plainSize}`, { offset: payload.start });
      }
      this.#payloads.set(payload.kind, payload);
    }
  }

  /** Reads the payload of a kind to its end; `undefined` when there is none. The order in the file does not matter. */
  async read<T>(kind: PayloadKind, read: Read<T>): Promise<T | undefined> {
    const payload = this.#payloads.get(kind);
    if (payload === undefined) return undefined;
    const reader = await openPayload(this.#fd, payload, this.#place, this.#signal);
    try {
      return await read(reader, payload, this.#place.in(`its ${kind} payload`));
    } finally {
      await reader.close();
    }
  }

  async entries(spool: Spool): Promise<Entry[]> {
    const limits = this.#limits;
    const contentSize = this.#payloads.get('content')?.plainSize ?? 0;
    const layout = (await this.read('layout', (reader, payload, place) => readStoneLayout(reader, payload, limits, place))) ?? [];
    const ranges = (await this.read('index', (reader, payload, place) => readStoneRanges(reader, payload, contentSize, limits, place))) ?? [];
    await this.read('attributes', (reader) => reader.drain());
    const files = (await this.read('content', (reader, _payload, place) => readContent(reader, ranges, spool, place, this.#signal))) ?? new Map<string, Spooled>();
    if (layout.some((entry) => entry.source === EMPTY_DIGEST)) files.set(EMPTY_DIGEST, await spool.add([], 0));

    const place = this.#place.in('its layout payload');
    const tree = new Tree(place);
    for (const entry of layout) {
      try {
        tree.add(`usr/${entry.path}`, contentOf(entry, files, place));
      } catch (error) {
        throw place.name(error, { offset: entry.offset, path: entry.path });
      }
    }
    return tree.finish();
  }
}

function contentOf(entry: StoneEntry, files: ReadonlyMap<string, Spooled>, place: Place): Content {
  const owner = ownerOf(entry.uid, entry.gid, '', '');
  const owned = owner === undefined ? {} : { owner };
  const mode = entry.mode & 0o7777;
  switch (entry.kind) {
    case 'directory':
      return { type: 'directory', mode, ...owned };
    case 'symlink':
      return { type: 'symlink', target: entry.source, ...owned };
    case 'file': {
      const file = files.get(entry.source);
      if (file === undefined) throw place.bad('the package does not hold its content', { offset: entry.offset, path: entry.path });
      return { type: 'file', mode, ...owned, ...file };
    }
  }
}

/** Takes the files out of the content, in its order, and checks the digest of each. */
async function readContent(
  reader: ByteReader,
  ranges: readonly StoneRange[],
  spool: Spool,
  place: Place,
  signal: AbortSignal | undefined,
): Promise<Map<string, Spooled>> {
  const hasher = await createXXHash128();
  const files = new Map<string, Spooled>();
  for (const { start, end, digest } of ranges) {
    signal?.throwIfAborted();
    await reader.skip(start - reader.offset, 'bytes between files');
    const size = end - start;
    hasher.init();
    const chunks = size <= LEAF_SIZE ? [hashed(await reader.read(size, 'a file'))] : large(size);
    const spooled = await spool.add(chunks, size);
    if (hasher.digest() !== digest) throw place.bad(`the file from there to ${end} does not have the digest ${digest}`, { offset: start });
    files.set(digest, spooled);
  }
  await reader.drain();
  return files;

  function hashed(chunk: Uint8Array): Uint8Array {
    hasher.update(chunk);
    return chunk;
  }

  async function* large(size: number): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of reader.take(size, 'a file')) yield hashed(chunk);
  }
}
