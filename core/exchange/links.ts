/** The links of large files, each fetched once for a session and checked against the file's id. */
import { parseCid } from '../dag/cid.ts';
import { fileIdFromLeaves, leafCount, type FileId } from '../dag/file-id.ts';
import { MossError } from '../error.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { FileSource, GetOptions } from '../ports/source.ts';

const DIGEST = 32;

export class Links {
  readonly #hasher: Hasher;
  readonly #known = new Map<FileId, readonly Uint8Array[]>();
  /** By source: the first one that is asked may be a liar, or silent. */
  readonly #asked = new Map<FileSource, Map<FileId, Promise<readonly Uint8Array[]>>>();

  constructor(hasher: Hasher) {
    this.#hasher = hasher;
  }

  /**
   * The SHA-256 of each leaf of a file, from any source. No signal ends this: others wait for the same.
   *
   * @throws MossError `bad-block` when they are not what the id promises, and as `Source.get` does
   */
  of({ id, size }: { id: FileId; size: number }, source: FileSource, { onBytes }: Pick<GetOptions, 'onBytes'>): Promise<readonly Uint8Array[]> {
    const known = this.#known.get(id);
    if (known !== undefined) return Promise.resolve(known);
    const asked = this.#asked.get(source) ?? new Map<FileId, Promise<readonly Uint8Array[]>>();
    this.#asked.set(source, asked);
    const under = asked.get(id);
    if (under !== undefined) return under;
    const links = this.#fetch(id, size, source, { onBytes }).finally(() => asked.delete(id));
    asked.set(id, links);
    return links;
  }

  async #fetch(id: FileId, size: number, source: FileSource, options: GetOptions): Promise<readonly Uint8Array[]> {
    const count = leafCount(size);
    const bytes = await source.getLinks(parseCid(id), count, options);
    // Each on its own: they go to other threads.
    const digests = Array.from({ length: count }, (_, i) => new Uint8Array(bytes.subarray(i * DIGEST, (i + 1) * DIGEST)));
    if (bytes.length !== count * DIGEST || (await fileIdFromLeaves(digests, size, this.#hasher)) !== id) {
      throw new MossError('bad-block', `the links that came for ${id} are not its own`, { data: { id } });
    }
    this.#known.set(id, digests);
    return digests;
  }
}
