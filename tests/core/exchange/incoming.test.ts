import assert from 'node:assert/strict';
import { it } from 'node:test';
import { cidOf, RAW } from '../../../core/dag/cid.ts';
import { MossError } from '../../../core/error.ts';
import { Incoming } from '../../../core/exchange/incoming.ts';
import type { Data } from '../../../core/exchange/wire/message.ts';
import { nodeCompressor } from '../../../node/zstd.ts';

const ASK = { wanted: { kind: 'block' as const, cid: cidOf(RAW, new Uint8Array(32)) }, maxBytes: 10 };

function piece(at: number, text: string, more: Partial<Data> = {}): Data {
  return { type: 'data', number: 0, encoding: 'identity', plain: 10, length: 10, at, bytes: new TextEncoder().encode(text), ...more };
}

function take(pieces: Data[], compressor = undefined as typeof nodeCompressor | undefined): Incoming {
  const incoming = new Incoming(ASK, compressor);
  const ends = pieces.map((each) => incoming.take(each));
  assert.deepEqual(ends, pieces.map((_, i) => i === pieces.length - 1));
  return incoming;
}

it('an answer is whole when its pieces came in order', async () => {
  assert.equal(new TextDecoder().decode(await take([piece(0, 'abcd'), piece(4, 'ef'), piece(6, 'ghij')]).content()), 'abcdefghij');
});

const REFUSED: Record<string, Data[]> = {
  'a piece is missing': [piece(0, 'abcd'), piece(6, 'ghij')],
  'a piece comes twice': [piece(0, 'abcd'), piece(0, 'abcd')],
  'the first piece is not the first': [piece(4, 'ef')],
  'it is longer than was asked for': [piece(0, 'abcd', { plain: 11, length: 11 })],
  'its length changes': [piece(0, 'abcd'), piece(4, 'e', { length: 5, plain: 5 })],
  'its encoding changes': [piece(0, 'abcd'), piece(4, 'ef', { encoding: 'zstd' })],
  'it is compressed although that was not offered': [piece(0, 'abcd', { encoding: 'zstd', length: 4 })],
};

for (const [why, pieces] of Object.entries(REFUSED)) {
  it(`an answer is refused when ${why}`, () => {
    assert.throws(() => take(pieces), (error: unknown) => error instanceof MossError && error.code === 'bad-message');
  });
}

it('an answer against a dictionary is refused where none was offered', () => {
  assert.throws(() => take([piece(0, 'abcd', { encoding: 'zstd+dictionary', length: 4 })], nodeCompressor), (error: unknown) => error instanceof MossError && error.code === 'bad-message');
});

it('what cannot be unpacked is a bad block', async () => {
  const incoming = take([piece(0, 'abcd', { encoding: 'zstd', length: 4 })], nodeCompressor);
  await assert.rejects(incoming.content(), (error: unknown) => error instanceof MossError && error.code === 'bad-block');
});

it('tells how much may still come, also before anything did', () => {
  const incoming = new Incoming(ASK, undefined);
  assert.equal(incoming.rest, 10);
  incoming.take(piece(0, 'abc', { plain: 5, length: 5 }));
  assert.equal(incoming.rest, 2);
});
