/** `stone.index`: the list of the packages in a directory of `.stone` files. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AbortOptions } from '../../core/ports/abort.ts';
import { Place } from './place.ts';
import { openPayload, stonePayloads } from './stone-container.ts';
import { readStoneMeta, stoneReference, type StoneReference } from './stone-meta.ts';

export interface IndexedStone extends StoneReference {
  /** The file on this machine. It may be anything: check its size and SHA-256 before it is used. */
  path: string;
}

/**
 * The packages that an index lists, in its order.
 *
 * @throws MossError `bad-package`, `bad-path`, `unsupported` when it is another kind of `.stone`, `io`
 */
export async function readStoneIndex(file: string, { signal }: AbortOptions = {}): Promise<IndexedStone[]> {
  const place = new Place(file);
  try {
    const fd = openSync(file, 'r');
    try {
      const { type, payloads } = stonePayloads(fd, fstatSync(fd).size, place);
      if (type !== 'index') throw place.unsupported(`it is no index, but a file of the type "${type}"`, { offset: 27 }, 'Give a file named stone.index.');
      const found: IndexedStone[] = [];
      for (const payload of payloads) {
        if (payload.kind !== 'meta') continue;
        const reader = await openPayload(fd, payload, place, signal);
        try {
          const reference = stoneReference(await readStoneMeta(reader, payload, place), place);
          found.push({ ...reference, path: join(dirname(file), reference.uri) });
        } finally {
          await reader.close();
        }
      }
      return found;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw place.name(error);
  }
}
