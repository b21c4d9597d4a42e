/** From messages to bytes. What cannot be said on the wire is a `bug` of the caller. */
import { MossError } from '../../error.ts';
import {
  DATA_HEAD_SIZE, ENCODINGS, HEAD_SIZE, ITEM_SIZE, MAX_ITEMS, MAX_PIECE, MAX_REPOSITORIES, TIDING_SIZE, TYPES,
  type Asked, type Busy, type Data, type Hello, type Item, type Message, type MessageType, type Query, type Soon, type Verdict, type Want,
} from './message.ts';

/** Kinds of items that are no blocks; a block's kind is its codec. */
export const KIND_LINKS = 1;
export const KIND_LEAF = 2;
export const KIND_DELTA = 3;
/** Flags of a want, and of a delta's item. */
export const WITH_DICTIONARY = 1;
export const WITH_BASE = 2;
export const UNPACKED = 1;
/** Flag of a query. */
export const FOLLOWED = 1;

/** The bytes of a message. */
export function encodeMessage(message: Message): Uint8Array {
  switch (message.type) {
    case 'hello':
      return encodeHello(message);
    case 'want':
    case 'query':
      return encodeItems(message);
    case 'data':
      return encodeData(message);
    case 'soon':
      return encodeSoon(message);
    case 'busy':
    case 'miss':
    case 'have':
    case 'cancel':
      return encodeNumbers(message);
  }
}

/** Writes the head of a `data` message, so that content can be put behind it without another copy. */
export function writeDataHead(view: DataView, start: number, { number, encoding, plain, length, at }: Omit<Data, 'type' | 'bytes'>, bytes: number): void {
  view.setUint32(start, 1 + DATA_HEAD_SIZE + bytes);
  view.setUint8(start + 4, TYPES.data);
  view.setUint32(start + 5, number);
  view.setUint8(start + 9, ENCODINGS.indexOf(encoding));
  view.setUint32(start + 10, plain);
  view.setUint32(start + 14, length);
  view.setUint32(start + 18, at);
}

function encodeData(message: Data): Uint8Array {
  if (message.bytes.length > MAX_PIECE) throw tooMuch('bytes in a piece');
  const out = new Uint8Array(HEAD_SIZE + DATA_HEAD_SIZE + message.bytes.length);
  writeDataHead(new DataView(out.buffer), 0, message, message.bytes.length);
  out.set(message.bytes, HEAD_SIZE + DATA_HEAD_SIZE);
  return out;
}

function encodeHello({ version, frames, files, deltas, news, zstd, runs, maxOpen, repositories }: Hello): Uint8Array {
  if (repositories.length > MAX_REPOSITORIES) throw tooMuch('repositories');
  const { out, view } = begin('hello', 9 + 32 * repositories.length);
  view.setUint8(5, version);
  view.setUint8(6, (frames ? 1 : 0) | (files ? 2 : 0) | (deltas ? 4 : 0) | (news ? 8 : 0));
  view.setUint8(7, (zstd ? 1 : 0) | (runs ? 2 : 0));
  view.setUint32(8, maxOpen);
  view.setUint16(12, repositories.length);
  for (const [i, repository] of repositories.entries()) out.set(repository.subarray(0, 32), 14 + 32 * i);
  return out;
}

function encodeItems(message: Want | Query): Uint8Array {
  const { items } = message;
  if (items.length === 0 || items.length > MAX_ITEMS) throw tooMuch('items');
  const dictionary = message.type === 'want' ? message.dictionary : undefined;
  const base = message.type === 'want' ? message.base : undefined;
  if (items.some(({ wanted }) => (wanted.kind === 'delta') !== (base !== undefined)) || (base !== undefined && dictionary !== undefined)) {
    throw new MossError('bug', 'deltas need a base, and nothing else does');
  }
  const start = 1 + (dictionary === undefined ? 0 : 32) + (base === undefined ? 0 : 33);
  const { out, view } = begin(message.type, start + ITEM_SIZE * items.length);
  if (message.type === 'query' && message.follow === true) view.setUint8(HEAD_SIZE, FOLLOWED);
  if (dictionary !== undefined) {
    view.setUint8(HEAD_SIZE, WITH_DICTIONARY);
    out.set(dictionary, HEAD_SIZE + 1);
  }
  if (base !== undefined) {
    view.setUint8(HEAD_SIZE, WITH_BASE);
    view.setUint8(HEAD_SIZE + 1, base.code);
    out.set(base.multihash.digest, HEAD_SIZE + 2);
  }
  for (const [i, item] of items.entries()) writeItem(out, view, HEAD_SIZE + start + ITEM_SIZE * i, item);
  return out;
}

function writeItem(out: Uint8Array, view: DataView, at: number, { number, wanted, maxBytes }: Item): void {
  view.setUint32(at, number);
  view.setUint8(at + 4, kindOf(wanted));
  view.setUint8(at + 5, wanted.kind === 'delta' && wanted.unpacked ? UNPACKED : 0);
  view.setUint32(at + 6, wanted.kind === 'leaf' ? wanted.index : wanted.kind === 'delta' ? wanted.file.code : 0);
  view.setUint32(at + 10, maxBytes);
  out.set((wanted.kind === 'block' ? wanted.cid : wanted.file).multihash.digest, at + 14);
}

function kindOf(wanted: Asked): number {
  switch (wanted.kind) {
    case 'links':
      return KIND_LINKS;
    case 'leaf':
      return KIND_LEAF;
    case 'delta':
      return KIND_DELTA;
    case 'block':
      return wanted.cid.code;
  }
}

function encodeSoon({ tidings }: Soon): Uint8Array {
  if (tidings.length > MAX_ITEMS) throw tooMuch('tidings');
  const { out, view } = begin('soon', TIDING_SIZE * tidings.length);
  for (const [i, { number, weight, round }] of tidings.entries()) {
    view.setUint32(HEAD_SIZE + TIDING_SIZE * i, number);
    view.setUint32(HEAD_SIZE + TIDING_SIZE * i + 4, weight);
    view.setUint32(HEAD_SIZE + TIDING_SIZE * i + 8, round);
  }
  return out;
}

function encodeNumbers(message: Verdict | Busy): Uint8Array {
  const { type, numbers } = message;
  if (numbers.length > MAX_ITEMS) throw tooMuch('numbers');
  const extra = message.type === 'busy' ? 4 : 0;
  const { out, view } = begin(type, extra + 4 * numbers.length);
  if (message.type === 'busy') view.setUint32(HEAD_SIZE, Math.min(message.retryAfter, 0xffff_ffff));
  for (const [i, number] of numbers.entries()) view.setUint32(HEAD_SIZE + extra + 4 * i, number);
  return out;
}

function begin(type: MessageType, body: number): { out: Uint8Array; view: DataView } {
  const out = new Uint8Array(HEAD_SIZE + body);
  const view = new DataView(out.buffer);
  view.setUint32(0, 1 + body);
  view.setUint8(4, TYPES[type]);
  return { out, view };
}

function tooMuch(what: string): MossError {
  return new MossError('bug', `a message cannot have so many ${what}`);
}
