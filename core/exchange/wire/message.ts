/**
 * The messages of `/moss/exchange/1`. The side that opened a stream asks (`want`, `query`, `cancel`), the other one
 * answers (`data`, `miss`, `have`, `soon`, `busy`); each says `hello` first. README.md has every byte.
 */
import { MAX_BLOCK_SIZE } from '../../dag/block.ts';
import type { Cid } from '../../dag/cid.ts';
import { MossError } from '../../error.ts';
import type { Wanted } from '../../ports/holdings.ts';

/** The protocol, as carriers negotiate it. */
export const PROTOCOL = '/moss/exchange/1';
export const VERSION = 1;

/** Bytes of a message after its length and type, at most; the bytes of a piece are counted without their header. */
export const MAX_BODY = 65_536;
/** Bytes of content in a `data` message, at most. */
export const MAX_PIECE = 65_536;
/** Items in a `want` or `query`, and numbers in a `miss`, `have`, `cancel` or `busy`. */
export const MAX_ITEMS = 1024;
/** Items that may be open on a stream before the other side's hello says more. */
export const DEFAULT_OPEN = 1024;
export const MAX_REPOSITORIES = 256;
/** The most bytes that one answer may have. */
export const MAX_ANSWER = MAX_BLOCK_SIZE;
/** The most bytes of a file that comes as a delta; the delta itself is an answer like any other. */
export const MAX_DELTA_CONTENT = 16 * 1024 * 1024;

export const TYPES = { hello: 1, want: 2, data: 3, miss: 4, cancel: 5, busy: 6, query: 7, have: 8, soon: 9 } as const;
export type MessageType = keyof typeof TYPES;

/** Bytes of the length and the type before each body. */
export const HEAD_SIZE = 5;
/** Bytes before the content of a `data` message: number, encoding, plain, length, at. */
export const DATA_HEAD_SIZE = 17;
/** Bytes of an item of a `want` or `query`. */
export const ITEM_SIZE = 46;

/** Bytes of an entry of a `soon`. */
export const TIDING_SIZE = 12;

/** How the bytes of an answer are to be read: the index is the number on the wire. */
export const ENCODINGS = ['identity', 'zstd', 'zstd+dictionary', 'zstd+base', 'zstd run'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** What can be asked for: something that is held, or a whole file as a delta against the `base` of its want. */
export type Asked = Wanted | DeltaAsked;

export interface DeltaAsked {
  kind: 'delta';
  file: Cid;
  /** Whether both files are gzip, and what is in them is compared. */
  unpacked: boolean;
}

export interface Item {
  /** Chosen by the side that asks; each is higher than all before it on the stream. */
  number: number;
  wanted: Asked;
  /** The most bytes that the content may have: exact where the size is known, as it always is of a delta. */
  maxBytes: number;
}

export interface Hello {
  type: 'hello';
  version: number;
  /** Whether the sender serves frames, and files of packages. Other blocks may be there in any case. */
  frames: boolean;
  files: boolean;
  /** Whether it makes deltas of files. */
  deltas: boolean;
  /** Whether it tells later what it said was not there. */
  news: boolean;
  /** What the sender can read beside `identity`. */
  zstd: boolean;
  runs: boolean;
  /** Items that the sender lets be open on this stream at the same time. */
  maxOpen: number;
  /** What it serves: fingerprints of 32 bytes. */
  repositories: Uint8Array[];
}

export interface Want {
  type: 'want';
  /** SHA-256 of content of at most 1 MiB that the sender has, to compress answers against. */
  dictionary?: Uint8Array | undefined;
  /** A file that the sender has: all items are deltas against it. */
  base?: Cid | undefined;
  items: Item[];
}

export interface Query {
  type: 'query';
  /** Whether what is not there is to be told of when it comes. */
  follow?: boolean | undefined;
  items: Item[];
}

/** A piece of an answer. A decoder hands on what came of a piece without waiting for the rest. */
export interface Data {
  type: 'data';
  number: number;
  encoding: Encoding;
  /** Bytes of the whole answer once it is decoded, and as it travels. */
  plain: number;
  length: number;
  /** Where `bytes` begin in what travels. */
  at: number;
  bytes: Uint8Array;
}

/** Answers about several items. */
export interface Verdict {
  type: 'miss' | 'have' | 'cancel';
  numbers: number[];
}

/** Somebody is bringing what is asked about from where everybody may fetch it. */
export interface Tiding {
  /** The item of a query. */
  number: number;
  /** Of two who bring it, the higher one goes on; counts on while that one is at it. Both 32 bits. */
  weight: number;
  round: number;
}

export interface Soon {
  type: 'soon';
  tidings: Tiding[];
}

export interface Busy {
  type: 'busy';
  /** Milliseconds. */
  retryAfter: number;
  /** None: the whole stream is refused. */
  numbers: number[];
}

export type Message = Hello | Want | Query | Data | Verdict | Soon | Busy;

export function badMessage(why: string): MossError {
  return new MossError('bad-message', `a peer broke the protocol: ${why}`, { hint: 'It is not asked again. If all peers do, update moss.' });
}
