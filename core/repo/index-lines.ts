/** The lines of an index file, found and ordered by name without parsing them. */
import { decode as decodeJson } from 'multiformats/codecs/json';
import { MossError } from '../error.ts';
import { parseProvide, type Provide } from './dependency.ts';
import { decodeEntry, type IndexEntry, MAX_LINE } from './index-entry.ts';

/** Bytes. Debian 12, with its 63,440 packages, has 44 MB. */
const MAX_INDEX = 1 << 30;
const MAX_PACKAGES = 4_000_000;

const LINE_FEED = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACKET = 0x5d;
const PREFIX = ascii('{"name":"');
const PROVIDES = ascii(',"provides":');
/** Bytes that names are made of: see `isPackageName`. */
const NAME_BYTES = new Uint8Array(256);
for (const unit of ascii('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+._-')) NAME_BYTES[unit] = 1;

/** One index file. Opening reads the starts and names of its lines, and checks that these are in order. */
export class IndexLines {
  readonly repository: string;
  readonly count: number;
  readonly #bytes: Uint8Array;
  /** Where each line starts, and behind the last, where the file ends. */
  readonly #starts: Uint32Array;
  readonly #nameEnds: Uint32Array;

  /** @throws MossError `bad-index` naming the line */
  constructor(repository: string, bytes: Uint8Array) {
    this.repository = repository;
    this.#bytes = bytes;
    if (bytes.length > MAX_INDEX) throw this.#bad(0, `the index has more than ${MAX_INDEX} bytes`);
    if (bytes.length > 0 && bytes[bytes.length - 1] !== LINE_FEED) throw this.#bad(0, 'the index does not end with a line feed: it is cut short');
    const starts: number[] = [];
    const nameEnds: number[] = [];
    for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
      const line = starts.length;
      end = bytes.indexOf(LINE_FEED, start);
      if (line >= MAX_PACKAGES) throw this.#bad(line, `more than ${MAX_PACKAGES} packages`);
      if (end - start > MAX_LINE) throw this.#bad(line, `it has more than ${MAX_LINE} bytes`);
      const nameEnd = this.#endOfName(start);
      if (nameEnd === undefined) throw this.#bad(line, 'it does not start with the name of a package');
      const previous = starts[line - 1];
      const previousEnd = nameEnds[line - 1];
      if (previous !== undefined && previousEnd !== undefined && compareRanges(bytes, previous, previousEnd, start, nameEnd) > 0) {
        throw this.#bad(line, 'its name is out of order');
      }
      starts.push(start);
      nameEnds.push(nameEnd);
    }
    this.count = starts.length;
    starts.push(bytes.length);
    this.#starts = Uint32Array.from(starts);
    this.#nameEnds = Uint32Array.from(nameEnds);
  }

  /** Lines are counted from 0. */
  name(line: number): string {
    const start = this.start(line) + PREFIX.length;
    return String.fromCharCode(...this.#bytes.subarray(start, this.#nameEnds[line]));
  }

  /** Whether a line has the same name as the one before it. */
  repeatsName(line: number): boolean {
    return line > 0 && compareRanges(this.#bytes, this.start(line - 1), this.#nameEnds[line - 1] ?? 0, this.start(line), this.#nameEnds[line] ?? 0) === 0;
  }

  /** The first line with this name, or `undefined`. */
  find(name: string): number | undefined {
    const line = this.lowerBound(name);
    return line < this.count && this.#compareName(line, name) === 0 ? line : undefined;
  }

  /** The first line whose name is not before this one; `count` when there is none. */
  lowerBound(name: string): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compareName(middle, name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where a line starts in the file, in bytes; of line `count`: where the file ends. */
  start(line: number): number {
    return this.#starts[line] ?? this.#bytes.length;
  }

  /** @throws MossError `bad-index` naming the line */
  entry(line: number): IndexEntry {
    try {
      return decodeEntry(this.#bytes.subarray(this.start(line), this.start(line + 1) - 1));
    } catch (cause) {
      throw this.#bad(line, cause instanceof MossError ? cause.message : 'it is malformed', cause);
    }
  }

  /** The summary of a line, unchecked: enough to pick the lines that a search then reads properly. */
  summary(line: number): string {
    let value: unknown;
    try {
      value = decodeJson(this.#bytes.subarray(this.start(line), this.start(line + 1) - 1));
    } catch (cause) {
      throw this.#bad(line, 'it is not JSON', cause);
    }
    if (typeof value !== 'object' || value === null || !('summary' in value)) return '';
    return typeof value.summary === 'string' ? value.summary : '';
  }

  /**
   * What the `provides` of a line holds, without parsing the rest; `undefined` when there is none.
   *
   * @throws MossError `bad-index` naming the line
   */
  provides(line: number): Provide[] | undefined {
    const bytes = this.#bytes;
    const start = (this.#nameEnds[line] ?? 0) + 1;
    if (!startsWith(bytes, PROVIDES, start)) return undefined;
    const from = start + PROVIDES.length;
    const limit = this.start(line + 1);
    // A quote within a text is escaped, so the first bare `"]` ends the list.
    let end = bytes.indexOf(BRACKET, from);
    while (end > 0 && end < limit && (bytes[end - 1] !== QUOTE || bytes[end - 2] === BACKSLASH)) end = bytes.indexOf(BRACKET, end + 1);
    if (end < 0 || end >= limit) throw this.#bad(line, 'its provides do not end');
    let value: unknown;
    try {
      value = decodeJson(bytes.subarray(from, end + 1));
    } catch (cause) {
      throw this.#bad(line, 'its provides are not JSON', cause);
    }
    if (!Array.isArray(value)) throw this.#bad(line, 'its provides are not a list');
    const provides = value as unknown[];
    return provides.map((item) => {
      if (typeof item !== 'string') throw this.#bad(line, 'its provides are not texts');
      try {
        return parseProvide(item);
      } catch (cause) {
        throw this.#bad(line, cause instanceof MossError ? cause.message : 'its provides are malformed', cause);
      }
    });
  }

  #endOfName(start: number): number | undefined {
    const bytes = this.#bytes;
    if (!startsWith(bytes, PREFIX, start)) return undefined;
    let end = start + PREFIX.length;
    while (NAME_BYTES[bytes[end] ?? 0] === 1) end++;
    return end > start + PREFIX.length && bytes[end] === QUOTE ? end : undefined;
  }

  #compareName(line: number, name: string): number {
    const bytes = this.#bytes;
    const start = this.start(line) + PREFIX.length;
    const length = (this.#nameEnds[line] ?? start) - start;
    for (let i = 0; i < length && i < name.length; i++) {
      const difference = (bytes[start + i] ?? 0) - name.charCodeAt(i);
      if (difference !== 0) return difference;
    }
    return length - name.length;
  }

  #bad(line: number, why: string, cause?: unknown): MossError {
    const of = this.repository === '' ? 'the index' : `the index of ${this.repository}`;
    return new MossError('bad-index', `line ${line + 1} of ${of}: ${why}`, {
      hint: 'The publisher has to publish a correct index; nothing was changed here.',
      data: { repository: this.repository, line: line + 1 },
      cause,
    });
  }
}

/** Compares the names of two lines: what lies between the prefix and the closing quote. */
function compareRanges(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): number {
  let i = a + PREFIX.length;
  let j = b + PREFIX.length;
  for (; i < aEnd && j < bEnd; i++, j++) {
    const difference = (bytes[i] ?? 0) - (bytes[j] ?? 0);
    if (difference !== 0) return difference;
  }
  return aEnd - i - (bEnd - j);
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array, at: number): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false;
  return true;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
