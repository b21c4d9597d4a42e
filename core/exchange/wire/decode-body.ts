/** The bodies of all messages but `data`. Every length follows from the body's own, which is bounded. */
import { cidOf, DAG_CBOR, DAG_PB, RAW, type Cid } from '../../dag/cid.ts';
import type { Wanted } from '../../ports/holdings.ts';
import { FOLLOWED, KIND_DELTA, KIND_LEAF, KIND_LINKS, UNPACKED, WITH_BASE, WITH_DICTIONARY } from './encode.ts';
import {
  badMessage, ITEM_SIZE, MAX_ANSWER, MAX_DELTA_CONTENT, MAX_ITEMS, MAX_REPOSITORIES, TIDING_SIZE, VERSION,
  type Item, type Message, type MessageType,
} from './message.ts';

/** @throws MossError `bad-message` */
export function decodeBody(type: Exclude<MessageType, 'data'>, body: Uint8Array): Message {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  switch (type) {
    case 'hello':
      return decodeHello(body, view);
    case 'want':
    case 'query':
      return decodeItems(type, body, view);
    case 'busy':
      if (body.length < 4) throw badMessage('a busy that says nothing');
      return { type, retryAfter: view.getUint32(0), numbers: decodeNumbers(view, 4) };
    case 'miss':
    case 'have':
    case 'cancel':
      return { type, numbers: decodeNumbers(view, 0) };
    case 'soon':
      return decodeSoon(view);
  }
}

/** Bytes behind the repositories are for later versions. */
function decodeHello(body: Uint8Array, view: DataView): Message {
  if (body.length < 9) throw badMessage('a short hello');
  const version = view.getUint8(0);
  if (version < VERSION) throw badMessage(`version ${version}`);
  const [holds, reads] = [view.getUint8(1), view.getUint8(2)];
  const count = view.getUint16(7);
  if (count > MAX_REPOSITORIES || body.length < 9 + 32 * count) throw badMessage(`${count} repositories in a hello of ${body.length} bytes`);
  return {
    type: 'hello',
    version,
    frames: (holds & 1) !== 0,
    files: (holds & 2) !== 0,
    deltas: (holds & 4) !== 0,
    news: (holds & 8) !== 0,
    zstd: (reads & 1) !== 0,
    runs: (reads & 2) !== 0,
    maxOpen: view.getUint32(3),
    repositories: Array.from({ length: count }, (_, i) => copyOf(body, 9 + 32 * i)),
  };
}

function decodeItems(type: 'want' | 'query', body: Uint8Array, view: DataView): Message {
  const flags = body[0] ?? 0xff;
  const start = type === 'want' ? STARTS[flags] : flags <= FOLLOWED ? 1 : undefined;
  if (start === undefined || body.length < start) throw badMessage(`flags ${flags} in a ${type} of ${body.length} bytes`);
  const count = (body.length - start) / ITEM_SIZE;
  if (!Number.isInteger(count) || count < 1 || count > MAX_ITEMS) throw badMessage(`a ${type} of ${body.length} bytes`);
  const items = Array.from({ length: count }, (_, i) => decodeItem(body, view, start + i * ITEM_SIZE));
  for (const [i, { number }] of items.entries()) {
    if (number <= (items[i - 1]?.number ?? -1)) throw badMessage(`items of a ${type} do not ascend`);
  }
  if (items.some((_, i) => (view.getUint8(start + i * ITEM_SIZE + 4) === KIND_DELTA) !== (type === 'want' && flags === WITH_BASE))) throw badMessage('deltas without a base, or a base without them');
  if (type === 'query') return { type, items, ...(flags === FOLLOWED && { follow: true }) };
  if (flags === WITH_BASE) return { type, items, base: fileOf(view.getUint8(1), copyOf(body, 2)) };
  return { type, items, ...(flags === WITH_DICTIONARY && { dictionary: copyOf(body, 1) }) };
}

/** Where the items of a want begin, by its flags. */
const STARTS: Readonly<Record<number, number>> = { 0: 1, [WITH_DICTIONARY]: 33, [WITH_BASE]: 34 };

/** All of it is checked now. What is wanted is made when somebody looks: a flood is mostly thrown away, and CIDs are large. */
function decodeItem(body: Uint8Array, view: DataView, at: number): Item {
  const maxBytes = view.getUint32(at + 10);
  const [kind, flags, index] = [view.getUint8(at + 4), view.getUint8(at + 5), view.getUint32(at + 6)];
  if (flags > (kind === KIND_DELTA ? UNPACKED : 0) || maxBytes > (kind === KIND_DELTA ? MAX_DELTA_CONTENT : MAX_ANSWER)) {
    throw badMessage('an item that this version does not know');
  }
  if (kind === KIND_DELTA) codecOfFile(index);
  else if (!isKind(kind)) throw badMessage(`items of kind ${kind}`);
  else if (kind !== KIND_LEAF && index !== 0) throw badMessage('an index of something that has no parts');
  const digest = copyOf(body, at + 14);
  return {
    number: view.getUint32(at),
    maxBytes,
    get wanted() {
      return kind === KIND_DELTA ? { kind: 'delta' as const, file: fileOf(index, digest), unpacked: flags === UNPACKED } : wantedOf(kind, digest, index);
    },
  };
}

/** A file by the codec of its id. */
function fileOf(codec: number, digest: Uint8Array): Cid {
  return cidOf(codecOfFile(codec), digest);
}

function codecOfFile(codec: number): typeof RAW | typeof DAG_PB {
  if (codec !== RAW && codec !== DAG_PB) throw badMessage(`a file whose id has the codec ${codec}`);
  return codec;
}

type Kind = typeof KIND_LEAF | typeof KIND_LINKS | typeof RAW | typeof DAG_PB | typeof DAG_CBOR;

function isKind(kind: number): kind is Kind {
  return kind === KIND_LEAF || kind === KIND_LINKS || kind === RAW || kind === DAG_PB || kind === DAG_CBOR;
}

function wantedOf(kind: Kind, digest: Uint8Array, index: number): Wanted {
  if (kind === KIND_LEAF) return { kind: 'leaf', file: cidOf(DAG_PB, digest), index };
  if (kind === KIND_LINKS) return { kind: 'links', file: cidOf(DAG_PB, digest) };
  return { kind: 'block', cid: cidOf(kind, digest) };
}

function decodeNumbers(view: DataView, start: number): number[] {
  const count = (view.byteLength - start) / 4;
  if (!Number.isInteger(count) || count > MAX_ITEMS) throw badMessage(`numbers in ${view.byteLength} bytes`);
  return Array.from({ length: count }, (_, i) => view.getUint32(start + 4 * i));
}

function decodeSoon(view: DataView): Message {
  const count = view.byteLength / TIDING_SIZE;
  if (!Number.isInteger(count) || count < 1 || count > MAX_ITEMS) throw badMessage(`tidings in ${view.byteLength} bytes`);
  const tidings = Array.from({ length: count }, (_, i) => {
    const at = i * TIDING_SIZE;
    return { number: view.getUint32(at), weight: view.getUint32(at + 4), round: view.getUint32(at + 8) };
  });
  return { type: 'soon', tidings };
}

/** 32 bytes of their own: a platform's buffers may share their memory when they are sliced. */
function copyOf(body: Uint8Array, at: number): Uint8Array {
  return new Uint8Array(body.subarray(at, at + 32));
}
