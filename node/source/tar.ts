/**
 * A streaming reader of tar archives that gives up at once on anything odd. No library does what packages need: see
 * the README of this room.
 */
import type { ByteReader } from './byte-reader.ts';
import type { ImportLimits } from './imported.ts';
import type { Place } from './place.ts';
import { applyPax, BLOCK, parsePax, parseTarHeader, type PaxRecords, type TarHeader } from './tar-header.ts';

export type TarMember = Omit<TarHeader, 'flag'> & {
  kind: 'file' | 'hardlink' | 'symlink' | 'directory';
  /** Where its header starts, in bytes of the unpacked archive. */
  offset: number;
};

/** Bytes: far above every path and every sensible pax header. */
const MAX_META = 64 * 1024;
/** Bytes that may follow the end mark; GNU tar fills up to 10 KiB. */
const MAX_PADDING = 1024 * 1024;

const REFUSED: Readonly<Record<string, string>> = { 3: 'a character device', 4: 'a block device', 6: 'a fifo (pipe)' };
const UNSUPPORTED: Readonly<Record<string, string>> = {
  S: 'a sparse file',
  M: 'a part of an archive of several volumes',
  D: 'an incremental dump',
  V: 'a volume label',
  N: 'an old kind of long name',
  X: 'an old kind of pax header',
};

export class TarReader {
  readonly #reader: ByteReader;
  readonly #place: Place;
  readonly #limits: ImportLimits;
  /** Of the current member. */
  #left = 0;
  #padding = 0;
  #headers = 0;
  #bytes = 0;
  #globals: PaxRecords = new Map();

  constructor(reader: ByteReader, place: Place, limits: ImportLimits) {
    this.#reader = reader;
    this.#place = place;
    this.#limits = limits;
  }

  /**
   * The next member, or `undefined` at the end of the archive (which is read to its last byte, so that the checksums
   * of the compression are checked). What was not read of the last one is skipped.
   *
   * @throws MossError `bad-package`, `unsupported`
   */
  async next(): Promise<TarMember | undefined> {
    await this.#reader.skip(this.#left + this.#padding, 'a member');
    this.#left = this.#padding = 0;
    let records: PaxRecords | undefined;
    let longName: string | undefined;
    let longLink: string | undefined;
    for (;;) {
      const at = this.#reader.offset;
      const header = parseTarHeader(await this.#reader.read(BLOCK, 'a tar header, before the end mark'), at, this.#place);
      if (header === undefined) {
        await this.#readEnd();
        return undefined;
      }
      if (++this.#headers > this.#limits.entries) {
        throw this.#place.bad(`more than ${this.#limits.entries} entries`, { offset: at, path: header.name });
      }
      switch (header.flag) {
        case 'x':
          records = parsePax(await this.#readMeta(header, at), at + BLOCK, this.#place);
          continue;
        case 'g':
          this.#globals = new Map([...this.#globals, ...parsePax(await this.#readMeta(header, at), at + BLOCK, this.#place)]);
          continue;
        case 'L':
          longName = longText(await this.#readMeta(header, at));
          continue;
        case 'K':
          longLink = longText(await this.#readMeta(header, at));
          continue;
        default: {
          const full = { ...header, name: longName ?? header.name, linkName: longLink ?? header.linkName };
          return this.#member(applyPax(full, new Map([...this.#globals, ...(records ?? [])]), at, this.#place), at);
        }
      }
    }
  }

  /** The whole content of the current member. The caller has checked its size. */
  async read(): Promise<Uint8Array> {
    const size = this.#left;
    const bytes = await this.#reader.read(size, 'the content of a file');
    this.#left = 0;
    return bytes;
  }

  /** The content of the current member, as it comes. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of this.#reader.take(this.#left, 'the content of a file')) {
      this.#left -= chunk.length;
      yield chunk;
    }
  }

  #member({ flag, ...header }: TarHeader, offset: number): TarMember {
    const kind = this.#kind(flag, header.name, offset);
    const { size } = header;
    // Readers disagree whether such content is there, so that one archive would be two packages.
    if (size > 0 && kind !== 'file') {
      throw this.#place.bad(`a ${kind} with ${size} bytes of content`, { offset, path: header.name });
    }
    this.#bytes += size;
    if (this.#bytes > this.#limits.bytes) {
      throw this.#place.bad(`it unpacks to more than ${this.#limits.bytes} bytes`, { offset, path: header.name });
    }
    this.#left = size;
    this.#padding = (BLOCK - (size % BLOCK)) % BLOCK;
    return { ...header, kind, offset };
  }

  #kind(flag: string, path: string, offset: number): TarMember['kind'] {
    switch (flag) {
      case '0':
      case '7':
        // V7 had no flag for directories.
        return path.endsWith('/') ? 'directory' : 'file';
      case '1':
        return 'hardlink';
      case '2':
        return 'symlink';
      case '5':
        return 'directory';
    }
    const refused = REFUSED[flag];
    if (refused !== undefined) throw this.#place.bad(`it is ${refused}, which no package may bring`, { offset, path });
    throw this.#place.unsupported(UNSUPPORTED[flag] ?? `an entry of the unknown type ${JSON.stringify(flag)}`, { offset, path });
  }

  async #readMeta(header: TarHeader, at: number): Promise<Uint8Array> {
    if (header.size > MAX_META) {
      throw this.#place.bad(`a name or pax header of ${header.size} bytes; the limit is ${MAX_META}`, { offset: at });
    }
    const bytes = await this.#reader.read(header.size, 'a long name or pax header');
    await this.#reader.skip((BLOCK - (header.size % BLOCK)) % BLOCK, 'a long name or pax header');
    return bytes;
  }

  async #readEnd(): Promise<void> {
    const start = this.#reader.offset;
    while (!(await this.#reader.atEnd())) {
      const at = this.#reader.offset;
      if (at - start > MAX_PADDING) throw this.#place.bad('more than a megabyte of zeros after the end mark', { offset: at });
      const block = await this.#reader.read(BLOCK, 'the padding after the end mark');
      if (block.some((byte) => byte !== 0)) throw this.#place.bad('bytes other than zero after the end mark', { offset: at });
    }
  }
}

/** GNU ends these with a NUL; one within the text is for the check of paths to refuse. */
function longText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8').replace(/\0$/, '');
}
