import type { Cid } from '../dag/cid.ts';
import { LEAF_SIZE } from '../dag/file-id.ts';
import type { Content, DeltaEnd, DeltaEnds, Holdings, Wanted } from '../ports/holdings.ts';

/** What is held in memory, all of it listed. */
export class MemoryHoldings implements Holdings {
  readonly repositories: readonly Uint8Array[] = [];
  frames = false;
  files = false;
  /** What was looked for, in order. */
  readonly asked: Wanted[] = [];
  readonly #contents = new Map<string, Content>();
  /** Whole files, and whether they are served: others are there to start deltas from. */
  readonly #files = new Map<string, { bytes: Uint8Array; served: boolean }>();

  addBlock(cid: Cid, bytes: Uint8Array): void {
    this.frames = true;
    this.#contents.set(cid.toString(), content(bytes, false));
  }

  /**
   * A file that is here as its content alone.
   *
   * @param links digests of its leaves, for files above 1 MiB
   */
  addFile(id: Cid, bytes: Uint8Array, links: readonly Uint8Array[] = []): void {
    this.files = true;
    this.#files.set(id.toString(), { bytes, served: true });
    if (bytes.length <= LEAF_SIZE) {
      this.#contents.set(id.toString(), content(bytes, true));
      return;
    }
    const joined = new Uint8Array(32 * links.length);
    for (const [i, digest] of links.entries()) {
      joined.set(digest, 32 * i);
      this.#contents.set(`${id.toString()}/${i}`, content(bytes.subarray(i * LEAF_SIZE, (i + 1) * LEAF_SIZE), true));
    }
    this.#contents.set(`${id.toString()}/links`, content(joined, false));
  }

  /** An earlier version of a file: deltas may start from it. */
  addBase(id: Cid, bytes: Uint8Array): void {
    this.#files.set(id.toString(), { bytes, served: false });
  }

  findEnds(file: Cid, base: Cid, unpacked: boolean): DeltaEnds | undefined {
    const [target, from] = [this.#files.get(file.toString()), this.#files.get(base.toString())];
    if (target?.served !== true || from === undefined || unpacked) return undefined;
    return { target: endOf(file, target.bytes), base: endOf(base, from.bytes) };
  }

  find(wanted: Wanted): Content | undefined {
    this.asked.push(wanted);
    return this.#contents.get(keyOf(wanted));
  }
}

function keyOf(wanted: Wanted): string {
  if (wanted.kind === 'block') return wanted.cid.toString();
  return `${wanted.file.toString()}/${wanted.kind === 'links' ? 'links' : wanted.index}`;
}

function endOf(id: Cid, bytes: Uint8Array): DeltaEnd {
  return { key: id.toString(), size: bytes.length, read: () => bytes };
}

function content(bytes: Uint8Array, compressible: boolean): Content {
  return { size: bytes.length, compressible, read: (offset, length) => bytes.slice(offset, offset + length) };
}
