import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as assertProperty, boolean, constantFrom, integer, nat, property, record, tuple, uint8Array, type Arbitrary } from 'fast-check';
import { cidOf, DAG_CBOR, DAG_PB, RAW } from '../../../../core/dag/cid.ts';
import { MossError } from '../../../../core/error.ts';
import { Decoder, FROM_ASKER, FROM_SERVER } from '../../../../core/exchange/wire/decode.ts';
import { encodeMessage } from '../../../../core/exchange/wire/encode.ts';
import { MAX_ANSWER, MAX_DELTA_CONTENT, TYPES, type Item, type Message, type MessageType } from '../../../../core/exchange/wire/message.ts';
import { fromHex, fromReadable, readable, vectors } from './vectors.ts';

/** A side that takes everything, to read any message. */
const EVERYTHING = new Set([...FROM_ASKER, ...FROM_SERVER]);

/** What comes out of bytes that come in chunks, with the pieces of an answer joined again. */
function decode(chunks: Iterable<Uint8Array>, expected: ReadonlySet<MessageType> = EVERYTHING): Message[] {
  const decoder = new Decoder(expected);
  const messages: Message[] = [];
  for (const chunk of chunks) {
    for (const message of decoder.push(chunk)) {
      const last = messages.at(-1);
      if (message.type === 'data' && last?.type === 'data' && last.number === message.number && message.at === last.at + last.bytes.length) {
        last.bytes = new Uint8Array(Buffer.concat([last.bytes, message.bytes]));
      } else messages.push(message.type === 'data' ? { ...message, bytes: new Uint8Array(message.bytes) } : message);
    }
  }
  return messages;
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
}

const isRefusal = (error: unknown): boolean => error instanceof MossError && error.code === 'bad-message';

describe('messages on the wire', () => {
  for (const { name, bytes, message } of vectors.messages) {
    it(`${name} has these bytes`, () => assert.equal(Buffer.from(encodeMessage(fromReadable(message))).toString('hex'), bytes));
    it(`${name} is read from them, whole or byte by byte`, () => {
      for (const size of [1, 3, 7, bytes.length]) assert.deepEqual(decode(cut(fromHex(bytes), size)).map(readable), [message]);
    });
    it(`${name} is not complete while a byte of it is missing`, () => {
      const decoder = new Decoder(EVERYTHING);
      const ends = cut(fromHex(bytes), 1).map((byte) => {
        for (const part of decoder.push(byte)) assert.equal(part.type, fromReadable(message).type);
        return decoder.atEnd;
      });
      assert.deepEqual(ends, ends.map((_, i) => i === ends.length - 1));
    });
  }

  for (const { name, reader, bytes } of vectors.refused) {
    it(`the ${reader} ends a stream with ${name}`, () => {
      for (const size of [1, 5, bytes.length]) assert.throws(() => decode(cut(fromHex(bytes), size), reader === 'server' ? FROM_ASKER : FROM_SERVER), isRefusal);
    });
  }

  it('have a vector for every type, and a refusal for both sides', () => {
    assert.deepEqual([...new Set(vectors.messages.map(({ message }) => fromReadable(message).type))].toSorted(), Object.keys(TYPES).toSorted());
    assert.deepEqual([...new Set(vectors.refused.map(({ reader }) => reader))].toSorted(), ['asker', 'server']);
  });

  it('have room for all that a version may add to hello', () => {
    const hello = encodeMessage({ type: 'hello', version: 2, frames: true, files: true, deltas: false, news: false, zstd: true, runs: true, maxOpen: 5, repositories: [] });
    const longer = Buffer.concat([hello, Buffer.from('later')]);
    longer.writeUInt32BE(longer.length - 4);
    assert.deepEqual(decode([longer]), decode([hello]));
  });

  it('cannot say more than the reader takes', () => {
    const item = { number: 0, wanted: { kind: 'block' as const, cid: cidOf(RAW, new Uint8Array(32)) }, maxBytes: 1 };
    assert.throws(() => encodeMessage({ type: 'want', items: Array.from({ length: 1025 }, (_, number) => ({ ...item, number })) }));
    const delta = { number: 0, wanted: { kind: 'delta' as const, file: item.wanted.cid, unpacked: false }, maxBytes: 1 };
    assert.throws(() => encodeMessage({ type: 'want', items: [delta] }), 'a delta against nothing');
    assert.throws(() => encodeMessage({ type: 'want', base: item.wanted.cid, items: [item] }), 'a base of what is no delta');
    assert.throws(() => encodeMessage({ type: 'miss', numbers: Array.from({ length: 1025 }, (_, i) => i) }));
    assert.throws(() => encodeMessage({ type: 'data', number: 0, encoding: 'identity', plain: 65_537, length: 65_537, at: 0, bytes: new Uint8Array(65_537) }));
    const full: Message = { type: 'want', dictionary: new Uint8Array(32), items: Array.from({ length: 1024 }, (_, number) => ({ ...item, number })) };
    assert.ok(encodeMessage(full).length <= 65_536);
  });
});

describe('any messages', () => {
  it('come out as they went in, however they are cut', () => {
    assertProperty(
      property(array(anyMessage(), { minLength: 1, maxLength: 8 }), integer({ min: 1, max: 5000 }), (messages, size) => {
        const bytes = Buffer.concat(messages.map(encodeMessage));
        assert.deepEqual(decode(cut(bytes, size)).map(readable), joined(messages).map(readable));
      }),
      { numRuns: 300 },
    );
  });

  it('lead to messages or to a refusal when bytes of them are altered, and never to much memory', () => {
    assertProperty(
      property(array(anyMessage(), { minLength: 1, maxLength: 4 }), array(tuple(nat(), integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }), boolean(), (messages, changes, asServer) => {
        const bytes = Buffer.concat(messages.map(encodeMessage));
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        onlyRefuses(() => decode(cut(bytes, 1000), asServer ? FROM_ASKER : FROM_SERVER));
      }),
      { numRuns: 1000 },
    );
  });

  it('are refused or read when they are noise', () => {
    assertProperty(
      property(integer({ min: 1, max: 8 }), uint8Array({ maxLength: 400 }), (type, noise) => {
        const head = Buffer.alloc(5);
        head.writeUInt32BE(noise.length + 1);
        head[4] = type;
        onlyRefuses(() => decode([head, noise]));
      }),
      { numRuns: 2000 },
    );
  });
});

function onlyRefuses(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

/** Pieces that follow each other are one to the reader. */
function joined(messages: readonly Message[]): Message[] {
  return decode(messages.map(encodeMessage));
}

type Kind = 'links' | 'leaf' | Parameters<typeof cidOf>[0];

function anyMessage(): Arbitrary<Message> {
  const digest = uint8Array({ minLength: 32, maxLength: 32 });
  const numbers = array(integer({ min: 0, max: 0xffff_ffff }), { maxLength: 20 });
  const wanted = tuple(constantFrom<Kind>(RAW, DAG_PB, DAG_CBOR, 'links', 'leaf'), digest, nat(65_535)).map(([kind, bytes, index]): Item['wanted'] => {
    if (kind === 'links') return { kind, file: cidOf(DAG_PB, bytes) };
    return kind === 'leaf' ? { kind, file: cidOf(DAG_PB, bytes), index } : { kind: 'block', cid: cidOf(kind, bytes) };
  });
  const items = array(tuple(wanted, nat(MAX_ANSWER)), { minLength: 1, maxLength: 20 }).map((list) => list.map(([each, maxBytes], number) => ({ number, wanted: each, maxBytes })));
  const file = tuple(constantFrom(RAW, DAG_PB), digest).map(([codec, bytes]) => cidOf(codec, bytes));
  const deltas = array(tuple(file, boolean(), nat(MAX_DELTA_CONTENT)), { minLength: 1, maxLength: 20 }).map((list) =>
    list.map(([each, unpacked, maxBytes], number): Item => ({ number, wanted: { kind: 'delta', file: each, unpacked }, maxBytes })),
  );
  const data = tuple(nat(), constantFrom('identity' as const, 'zstd' as const, 'zstd+dictionary' as const, 'zstd+base' as const, 'zstd run' as const), uint8Array({ minLength: 1, maxLength: 3000 }), nat(5000)).map(
    ([number, encoding, bytes, at]): Message => {
      const length = at + bytes.length;
      return { type: 'data', number, encoding, plain: encoding === 'identity' ? length : length + 10, length, at, bytes };
    },
  );
  const messages: Arbitrary<Message>[] = [
    record({ type: constantFrom('hello' as const), version: integer({ min: 1, max: 255 }), frames: boolean(), files: boolean(), deltas: boolean(), news: boolean(), zstd: boolean(), runs: boolean(), maxOpen: nat(), repositories: array(digest, { maxLength: 5 }) }),
    items.map((list): Message => ({ type: 'want', items: list })),
    tuple(items, digest).map(([list, dictionary]): Message => ({ type: 'want', items: list, dictionary })),
    tuple(deltas, file).map(([list, base]): Message => ({ type: 'want', items: list, base })),
    items.map((list): Message => ({ type: 'query', items: list })),
    items.map((list): Message => ({ type: 'query', follow: true, items: list })),
    array(record({ number: nat(), weight: integer({ min: 0, max: 0xffff_ffff }), round: nat() }), { minLength: 1, maxLength: 50 }).map((tidings): Message => ({ type: 'soon', tidings })),
    tuple(constantFrom('miss' as const, 'have' as const, 'cancel' as const), numbers).map(([type, list]): Message => ({ type, numbers: list })),
    tuple(nat(), numbers).map(([retryAfter, list]): Message => ({ type: 'busy', retryAfter, numbers: list })),
    data,
  ];
  return integer({ min: 0, max: messages.length - 1 }).chain((i) => messages[i] ?? data);
}
